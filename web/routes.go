package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"

	"zaseki/web/wire"
)

// indexFile is the one page; what it shows depends on the path.
const indexFile = "index.html"

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /seats", s.index)
	mux.HandleFunc("GET /{path...}", s.asset)
	mux.HandleFunc("POST /session", s.session)
	mux.Handle("GET /session/check", s.guard.Session(http.HandlerFunc(check)))
	mux.Handle("GET /ws", s.guard.Session(http.HandlerFunc(s.websocket)))
	mux.Handle("POST /media/offer", s.guard.Session(http.HandlerFunc(s.offer)))
	mux.Handle("POST /link", s.guard.Session(http.HandlerFunc(s.link)))
	if s.cfg.Why != nil {
		mux.Handle("GET /timeline", s.guard.Session(http.HandlerFunc(s.timeline)))
		mux.Handle("GET /support", s.guard.Session(http.HandlerFunc(s.support)))
	}
	if s.cfg.Metrics != nil {
		mux.Handle("GET /metrics", s.guard.Session(s.cfg.Metrics))
	}
	return mux
}

// check lets a page whose websocket broke find out whether the phone is away or the session.
func check(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// session trades the secret of the fragment for the cookie.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Token wire.Secret `json:"token"`
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
	w.WriteHeader(http.StatusNoContent)
}

// offer carries a page's SDP to the sound engine and the answer back: plumbing, not state, so it is a request of its own.
func (s *Server) offer(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Page string `json:"page"`
		SDP  string `json:"sdp"`
	}
	if !read(w, r, &ask) {
		return
	}
	if !pageID.MatchString(ask.Page) || ask.SDP == "" {
		http.Error(w, "page and sdp are needed", http.StatusBadRequest)
		return
	}
	if s.cfg.Sound == nil {
		http.Error(w, "no sound here", http.StatusNotFound)
		return
	}
	sdp, err := s.cfg.Sound.Offer(r.Context(), ask.Page, ask.SDP)
	if err != nil {
		s.cfg.Log.Warn("page offer", "page", ask.Page, "err", err)
		http.Error(w, "the offer was refused", http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"sdp": sdp})
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

// file is an embedded file as it is sent.
type file struct {
	data []byte
	kind string
	etag string
}

var kinds = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".json":        "application/json",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".webmanifest": "application/manifest+json",
}

// load reads the embedded files by path. A configured language is written into the page's root element.
func load(from fs.FS, lang string) (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := kinds[path.Ext(name)]
		if !ok {
			return nil
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		if name == indexFile && lang != "" {
			data = []byte(strings.Replace(string(data), `<html lang="en">`, `<html lang="`+lang+`" data-lang="`+lang+`">`, 1))
		}
		sum := sha256.Sum256(data)
		files[name] = file{data, kind, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	return files, nil
}

func (s *Server) index(w http.ResponseWriter, r *http.Request) { s.send(w, r, indexFile) }

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	if name == "favicon.ico" {
		name = "icons/zaseki.svg"
	}
	if _, ok := s.files[name]; !ok || name == indexFile {
		http.NotFound(w, r)
		return
	}
	// Kept by the browser, asked about every time: an updated program never meets old scripts.
	w.Header().Set("Cache-Control", "private, no-cache")
	s.send(w, r, name)
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, name string) {
	f := s.files[name]
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.etag)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(f.data)
}
