package uplink

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"zaseki/web/wire"
)

// recordingPart is how much of a recording goes in one request, bytes.
const recordingPart = 256 << 10

// partTime is how long one may take.
const partTime = time.Minute

// Headers of a hand-over: where a part begins, or how much the center has; and how long the whole is.
const (
	offsetHeader = "Upload-Offset"
	lengthHeader = "Upload-Length"
)

// SendRecording hands a sealed recording to the center, from where a break left off, and returns nil when the center has it whole,
// on its disk. Next is asked before every part; its error ends the hand-over for now. Other errors are a wire.Problem: of
// ProblemRecordDamaged, the center will never take it; of ProblemExpired, nobody is signed in.
func (u *Uplink) SendRecording(ctx context.Context, id string, file io.ReaderAt, size int64, next func() error) error {
	have, whole, err := u.recordingAt(ctx, id)
	for err == nil && !whole {
		if have > size {
			return wire.Problem{Code: wire.ProblemRecordDamaged}
		}
		if err = next(); err != nil {
			return err
		}
		have, whole, err = u.putRecording(ctx, id, io.NewSectionReader(file, have, min(recordingPart, size-have)), have, size)
	}
	return err
}

// recordingAt is how much of it the center has.
func (u *Uplink) recordingAt(ctx context.Context, id string) (have int64, whole bool, err error) {
	resp, err := u.request(ctx, http.MethodHead, id, nil, nil)
	if err != nil {
		return 0, false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotFound:
		return 0, false, nil
	case http.StatusOK:
		have, err = count(resp.Header)
		return have, resp.Header.Get(lengthHeader) != "", err
	case http.StatusUnauthorized:
		return 0, false, wire.Problem{Code: wire.ProblemExpired} // the answer to HEAD has no body that would say so
	}
	return 0, false, wire.Problem{Code: wire.ProblemCenter}
}

func (u *Uplink) putRecording(ctx context.Context, id string, part *io.SectionReader, have, size int64) (int64, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	resp, err := u.request(ctx, http.MethodPut, id, part, func(h http.Header) {
		h.Set(offsetHeader, strconv.FormatInt(have, 10))
		h.Set(lengthHeader, strconv.FormatInt(size, 10))
	})
	if err != nil {
		return 0, false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
		return size, true, nil
	case http.StatusNoContent, http.StatusConflict:
		now, err := count(resp.Header)
		if err == nil && now == have {
			err = wire.Problem{Code: wire.ProblemCenter} // it would go on for ever
		}
		return now, false, err
	}
	return 0, false, problemOf(resp)
}

func count(h http.Header) (int64, error) {
	n, err := strconv.ParseInt(h.Get(offsetHeader), 10, 64)
	if err != nil || n < 0 {
		return 0, wire.Problem{Code: wire.ProblemCenter}
	}
	return n, nil
}

// Recording is a recording as the center plays it, a WAV file of that many bytes, for who may hear it. The body is to be closed.
func (u *Uplink) Recording(ctx context.Context, id string) (body io.ReadCloser, size int64, err error) {
	resp, err := u.request(ctx, http.MethodGet, id, nil, nil)
	if err != nil {
		return nil, 0, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, 0, problemOf(resp)
	}
	return resp.Body, resp.ContentLength, nil
}

// request asks about a recording with the session's token. The time of its body is the caller's.
func (u *Uplink) request(ctx context.Context, method, id string, part *io.SectionReader, head func(http.Header)) (*http.Response, error) {
	u.mu.Lock()
	var token wire.Secret
	if u.session != nil {
		token = u.session.token
	}
	u.mu.Unlock()
	if token == "" {
		return nil, wire.Problem{Code: wire.ProblemExpired}
	}
	var body io.Reader
	if part != nil {
		body = part
	}
	req, err := http.NewRequestWithContext(ctx, method, u.base()+"/api/v1/recordings/"+id, body)
	if err != nil {
		return nil, u.unreachable()
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	if part != nil {
		req.ContentLength = part.Size()
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	if head != nil {
		head(req.Header)
	}
	resp, err := u.slow.Do(req)
	if err != nil {
		u.log.Debug("ask for a recording", "method", method, "err", err)
		return nil, errors.Join(u.unreachable(), ctx.Err())
	}
	return resp, nil
}

// problemOf is what the center says is wrong.
func problemOf(resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return wire.Problem{Code: wire.ProblemCenter}
	}
	return understand(max(resp.StatusCode, http.StatusBadRequest), data, nil)
}
