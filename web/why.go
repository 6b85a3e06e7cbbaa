package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"zaseki/web/wire"
)

// Why explains calls: the timeline of one, and everything a supporter needs as a file.
type Why interface {
	// Timeline is what happened to a call: what this phone knows of it, and what its center does. Errors are a wire.Problem: row.unknown (nothing is
	// kept, or it was never known), forbidden, or why the center was not reached.
	Timeline(ctx context.Context, call string) (wire.Timeline, error)
	// Support writes a zip archive without any secret.
	Support(ctx context.Context, to io.Writer) error
}

// timeline is GET /timeline?call=ID.
func (s *Server) timeline(w http.ResponseWriter, r *http.Request) {
	line, err := s.cfg.Why.Timeline(r.Context(), r.URL.Query().Get("call"))
	s.told(w, line, err)
}

// support is GET /support. The archive is made whole first, so that an error is told as one.
func (s *Server) support(w http.ResponseWriter, r *http.Request) {
	var file bytes.Buffer
	if err := s.cfg.Why.Support(r.Context(), &file); err != nil {
		s.cfg.Log.Error("support file", "err", err)
		http.Error(w, "the support file could not be made; the log says why", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="zaseki-support-`+time.Now().Format("20060102-150405")+`.zip"`)
	_, _ = w.Write(file.Bytes())
}

// link is POST /link: somebody clicked a tel:, sip: or callto: link elsewhere. It becomes a question, never a call.
func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	var ask wire.DialLink
	if !read(w, r, &ask) {
		return
	}
	if ask.URI == "" {
		http.Error(w, "uri is needed", http.StatusBadRequest)
		return
	}
	s.cfg.Agent.Post(ask)
	w.WriteHeader(http.StatusNoContent)
}
