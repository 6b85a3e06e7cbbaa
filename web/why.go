package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"zaseki/web/wire"
)

// Why explains calls: the timeline of one, and everything a supporter needs as a file.
type Why interface {
	// Timeline is what happened to a call of this phone; false: not kept, or never known.
	Timeline(call string) (wire.Timeline, bool)
	// Support writes a zip archive without any secret.
	Support(ctx context.Context, to io.Writer) error
}

// timeline is GET /timeline?call=ID.
func (s *Server) timeline(w http.ResponseWriter, r *http.Request) {
	line, ok := s.cfg.Why.Timeline(r.URL.Query().Get("call"))
	if !ok {
		http.Error(w, "nothing is kept of this call", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(line)
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
