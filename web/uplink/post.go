package uplink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"zaseki/web/wire"
)

// maxAnswer of the center, bytes.
const maxAnswer = 4 << 20

// post asks the center by HTTP. Every error is a wire.Problem.
func (u *Uplink) post(ctx context.Context, path string, in any, token wire.Secret, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return wire.Problem{Code: wire.ProblemInternal}
	}
	_, err = u.ask(ctx, http.MethodPost, path, bytes.NewReader(body), token, out)
	return err
}

// ask is post and its kin; status is 0 when nobody answered.
func (u *Uplink) ask(ctx context.Context, method, path string, body io.Reader, token wire.Secret, out any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, u.base()+path, body)
	if err != nil {
		return 0, u.unreachable()
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := u.client.Do(req)
	if err != nil {
		u.log.Debug("ask the center", "path", path, "err", err)
		if token == "" && path != "/api/v1/resume" && ctx.Err() == nil {
			u.turn() // nobody is signed in: the next try asks another node
		}
		return 0, u.unreachable()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, u.unreachable()
	}
	return resp.StatusCode, understand(resp.StatusCode, data, out)
}

// understand reads the center's answer.
func understand(status int, data []byte, out any) error {
	switch {
	case status == http.StatusNoContent && out == nil:
		return nil
	case status == http.StatusOK && out != nil:
		if json.Unmarshal(data, out) == nil {
			return nil
		}
	case status >= 400:
		var p wire.Problem
		if json.Unmarshal(data, &p) == nil && p.Code != "" {
			return p
		}
	}
	return wire.Problem{Code: wire.ProblemCenter}
}

func (u *Uplink) unreachable() wire.Problem {
	return wire.Problem{Code: wire.ProblemUnreachable, Holes: map[string]string{"url": u.cfg.URL}}
}

// takeUp asks for the session again. gone says that the center does not know it.
func (u *Uplink) takeUp(ctx context.Context, s *session) (w wire.Welcome, gone bool, err error) {
	u.mu.Lock()
	resume := s.resume
	u.mu.Unlock()
	err = u.post(ctx, "/api/v1/resume", wire.ResumeRequest{Resume: resume.Reveal()}, "", &w)
	if err != nil {
		return wire.Welcome{}, errors.Is(err, wire.Problem{Code: wire.ProblemExpired}), err
	}
	u.mu.Lock()
	s.token, s.resume = wire.Secret(w.Token), wire.Secret(w.Resume)
	u.mu.Unlock()
	u.learn(w.Nodes)
	w.Token, w.Resume = "", ""
	return w, false, nil
}
