package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"zaseki/static"
	"zaseki/web/wire"
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

// index is the one page. Its root element is told what was chosen; the words that it will speak first are in it, and for who has a session
// already the phone as it is now.
func (s *Server) index(w http.ResponseWriter, r *http.Request) {
	page := s.indexes[indexKey{s.reader(r), s.lang()}]
	if s.guard.Known(r) {
		page = s.showing(r, page)
	}
	s.send(w, r, page)
}

// showing is the page with the phone as it is now. Of the script that only who is signed in needs the browser is told at once.
func (s *Server) showing(r *http.Request, page file) file {
	now, err := s.snapshot(r.Context())
	if err != nil {
		return page // it will ask
	}
	e, err := wire.Pack("", now)
	if err != nil {
		return page
	}
	said, err := json.Marshal(e) // writes "<" as \u003c
	if err != nil {
		return page
	}
	data := bytes.Replace(page.data, []byte(`id="phone">`), slices.Concat([]byte(`id="phone">`), said), 1)
	if now.Phase == wire.PhaseIn {
		data = bytes.Replace(data, []byte(`<link rel="stylesheet"`), []byte(`<link rel="modulepreload" href="/js/inside.js">`+"\n"+`<link rel="stylesheet"`), 1)
	}
	return newFile(data, page.kind)
}

// indexKey is what the one page depends on: whom it is for, and what was chosen.
type indexKey struct{ reader, chosen string }

// indexes are all forms of the one page.
func indexes(files map[string]file) map[indexKey]file {
	all := map[indexKey]file{}
	for _, reader := range static.Languages {
		// In a script element a "<" may begin its end or a comment (HTML §13.2.5.15); in JSON it stands in strings only, and may be written so.
		words := bytes.ReplaceAll(files["i18n/"+reader+".json"].data, []byte("<"), []byte(`\u003c`))
		page := bytes.Replace(files[indexFile].data, []byte(`id="words" lang="en">`), slices.Concat([]byte(`id="words" lang="`+reader+`">`), words), 1)
		for _, chosen := range append([]string{""}, static.Languages...) {
			one := page
			if chosen != "" {
				one = bytes.Replace(page, []byte(`<html lang="en">`), []byte(`<html lang="`+chosen+`" data-lang="`+chosen+`">`), 1)
			}
			all[indexKey{reader, chosen}] = newFile(one, kinds[".html"])
		}
	}
	return all
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
