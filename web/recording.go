package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"zaseki/web/wire"
)

// Recordings gives the recordings of past calls as the center plays them. Errors are a wire.Problem.
type Recordings interface {
	// Recording is a WAV file of that many bytes, stereo: agent left, caller right. The body is to be closed.
	Recording(ctx context.Context, call string) (body io.ReadCloser, size int64, err error)
}

// recording is GET /recording?call=ID. A refusal is a problem in JSON: 404 there is none, or not for this person; 409 it is still
// on its way to the center; 502 the center cannot be reached or has trouble.
func (s *Server) recording(w http.ResponseWriter, r *http.Request) {
	body, size, err := s.cfg.Recordings.Recording(r.Context(), r.URL.Query().Get("call"))
	if err != nil {
		s.notPlayed(w, err)
		return
	}
	defer body.Close()
	h := w.Header()
	h.Set("Content-Type", "audio/wav")
	h.Set("Cache-Control", "no-store")
	if size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	out := http.NewResponseController(w)
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		_ = out.SetWriteDeadline(time.Now().Add(time.Minute)) // an hour of sound takes longer than a page
		if _, gone := w.Write(buf[:n]); gone != nil || errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.cfg.Log.Warn("recording", "err", err)
			panic(http.ErrAbortHandler) // the page must not take half for whole
		}
	}
}

func (s *Server) notPlayed(w http.ResponseWriter, err error) {
	p := wire.Problem{Code: wire.ProblemInternal}
	if !errors.As(err, &p) {
		s.cfg.Log.Error("recording", "err", err)
	}
	code := http.StatusBadGateway
	switch p.Code {
	case wire.ProblemRecordNone, wire.ProblemForbidden, wire.ProblemExpired:
		code = http.StatusNotFound
	case wire.ProblemRecordComing:
		code = http.StatusConflict
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(p)
}
