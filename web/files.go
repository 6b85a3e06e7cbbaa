package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"zaseki/static"
)

// file is an embedded file as it is sent.
type file struct {
	data   []byte
	packed func() []byte // gzip of data, made when first asked for; nil: it would not be shorter
	kind   string
	tag    string
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

// load prepares the files by path.
func load(from map[string][]byte) map[string]file {
	files := map[string]file{}
	for name, data := range from {
		if kind, ok := kinds[path.Ext(name)]; ok {
			files[name] = newFile(data, kind)
		}
	}
	return files
}

func newFile(data []byte, kind string) file {
	sum := sha256.Sum256(data)
	f := file{data: data, kind: kind, tag: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if kind != kinds[".png"] && len(data) > 1<<10 {
		f.packed = sync.OnceValue(func() []byte {
			var out bytes.Buffer
			z := gzip.NewWriter(&out)
			_, _ = z.Write(data) // a buffer takes everything
			_ = z.Close()
			return out.Bytes()
		})
	}
	return f
}

// lang is the language that was chosen; "" as the browser prefers.
func (s *Server) lang() string {
	if s.cfg.Lang == nil {
		return ""
	}
	if lang := s.cfg.Lang(); slices.Contains(static.Languages, lang) {
		return lang
	}
	return ""
}

// reader is the language of who asks: what the address names, or what was chosen, or what the browser prefers.
func (s *Server) reader(r *http.Request) string {
	for _, lang := range []string{r.URL.Query().Get("lang"), s.lang()} {
		if slices.Contains(static.Languages, lang) {
			return lang
		}
	}
	if strings.HasPrefix(r.Header.Get("Accept-Language"), "ja") {
		return "ja"
	}
	return "en"
}

// index is the one page. Its root element is told what was chosen, its head the words that it will ask for.
func (s *Server) index(w http.ResponseWriter, r *http.Request) {
	page := strings.Replace(string(s.files[indexFile].data), "/i18n/en.json", "/i18n/"+s.reader(r)+".json", 1)
	if lang := s.lang(); lang != "" {
		page = strings.Replace(page, `<html lang="en">`, `<html lang="`+lang+`" data-lang="`+lang+`">`, 1)
	}
	s.send(w, r, newFile([]byte(page), kinds[".html"]))
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	if name == "favicon.ico" {
		name = "icons/zaseki.svg"
	}
	f, ok := s.files[name]
	if !ok || name == indexFile {
		http.NotFound(w, r)
		return
	}
	// Kept by the browser, asked about every time: an updated program never meets old scripts.
	w.Header().Set("Cache-Control", "private, no-cache")
	s.send(w, r, f)
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, f file) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	data, tag := f.data, `"`+f.tag+`"`
	if f.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			data, tag = nil, `"`+f.tag+`z"` // another representation has another tag (RFC 9110 §8.8.3.3)
		}
	}
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if data == nil {
		data = f.packed()
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3) as browsers write it: gzip by name, and not refused.
func takesGzip(accept string) bool {
	for one := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(strings.TrimSpace(weight), "q=0.") != "" || weight == ""
		}
	}
	return false
}
