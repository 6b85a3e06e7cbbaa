package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"zaseki/web/wire"
)

// indexFile is the one page; what it shows depends on the path.
const indexFile = "index.html"

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	for _, place := range []string{"seats", "settings", "calls", "contacts", "help", "messages", "why"} { // the page finds its place by the path
		mux.HandleFunc("GET /"+place, s.index)
	}
	mux.HandleFunc("GET /{path...}", s.asset)
	mux.HandleFunc("POST /session", s.session)
	mux.Handle("GET /session/check", s.guard.Session(http.HandlerFunc(check)))
	mux.Handle("GET /ws", s.guard.Session(http.HandlerFunc(s.websocket)))
	mux.Handle("POST /media/offer", s.guard.Session(http.HandlerFunc(s.offer)))
	mux.Handle("GET /media/pcm", s.guard.Session(http.HandlerFunc(s.pcm)))
	mux.HandleFunc("POST "+guestPath, s.guestDial)
	mux.HandleFunc("OPTIONS "+guestPath, s.guestAsks)
	mux.Handle("POST /link", s.guard.Session(http.HandlerFunc(s.link)))
	if s.cfg.Why != nil {
		mux.Handle("GET /timeline", s.guard.Session(http.HandlerFunc(s.timeline)))
		mux.Handle("GET /support", s.guard.Session(http.HandlerFunc(s.support)))
	}
	if s.cfg.Recordings != nil {
		mux.Handle("GET /recording", s.guard.Session(http.HandlerFunc(s.recording)))
	}
	if s.cfg.Past != nil {
		mux.Handle("GET /history", s.guard.Session(http.HandlerFunc(s.history)))
		mux.Handle("GET /history/day", s.guard.Session(http.HandlerFunc(s.ownDay)))
		mux.Handle("GET /floor/past", s.guard.Session(http.HandlerFunc(s.floorPast)))
		mux.Handle("GET /check", s.guard.Session(http.HandlerFunc(s.dawn)))
		mux.Handle("GET /floor/day", s.guard.Session(http.HandlerFunc(s.floorDay)))
	}
	if s.cfg.Book != nil {
		mux.Handle("GET /phonebook", s.guard.Session(http.HandlerFunc(s.phonebook)))
	}
	if s.cfg.Proofs != nil {
		s.proofs(mux)
	}
	if s.cfg.Metrics != nil {
		mux.Handle("GET /metrics", s.guard.Session(s.cfg.Metrics))
	}
	return mux
}

// check lets a page whose websocket broke find out whether the phone is away or the session.
func check(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// session trades the secret of the fragment for the cookie. Who wants to show the phone is told at once how it is.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Token wire.Secret `json:"token"`
		Show  bool        `json:"show"`
	}
	if !read(w, r, &ask) {
		return
	}
	if ask.Token == "" {
		http.Error(w, "token is needed", http.StatusBadRequest)
		return
	}
	cookie, ok := s.guard.Open(ask.Token)
	if !ok {
		http.Error(w, "no session", http.StatusForbidden)
		return
	}
	http.SetCookie(w, cookie)
	if ask.Show {
		s.present(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// present answers with the phone as it is now: a page has something to draw while it connects.
func (s *Server) present(w http.ResponseWriter, r *http.Request) {
	now, err := s.snapshot(r.Context())
	var e wire.Envelope
	if err == nil {
		e, err = wire.Pack("", now)
	}
	if err != nil {
		http.Error(w, "the phone ends", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(e)
}

// snapshot is the phone as it is now; an error says that it ends.
func (s *Server) snapshot(ctx context.Context) (wire.Snapshot, error) {
	snaps, stop := s.cfg.Agent.Watch()
	defer stop()
	select {
	case now, ok := <-snaps:
		if !ok {
			return now, errors.New("snapshot: the phone ends")
		}
		return now, nil
	case <-ctx.Done():
		return wire.Snapshot{}, fmt.Errorf("snapshot: %w", ctx.Err())
	}
}

// read takes exactly one JSON object from the body and answers itself when it cannot.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		http.Error(w, "not JSON", http.StatusUnsupportedMediaType)
		return false
	}
	data, err := io.ReadAll(r.Body)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
	case err != nil || json.Unmarshal(data, into) != nil:
		http.Error(w, "malformed JSON", http.StatusBadRequest)
	default:
		return true
	}
	return false
}

// pageID is what a page may call itself.
var pageID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
