package admin

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"zaseki/static"
)

//go:embed pages
var pages embed.FS

// shell is the one page: the rest is modules that use the API.
var shell = template.Must(template.ParseFS(pages, "pages/index.html"))

// shared is what the pages use of the softphone's: values, elements, words.
var shared = []string{"css/tokens.css", "css/base.css", "js/dom.js", "js/text.js", "icons/zaseki.svg", "i18n/en.json", "i18n/ja.json", "i18n/admin-en.json", "i18n/admin-ja.json"}

func (a *Admin) pages() {
	own, err := fs.Sub(pages, "pages")
	if err != nil {
		panic(err) // the embed directive names the folder
	}
	a.mux.Handle("GET /static/admin/", http.StripPrefix("/static/admin/", files(own, func(name string) bool { return path.Ext(name) == ".js" || path.Ext(name) == ".css" })))
	a.mux.Handle("GET /static/", http.StripPrefix("/static/", files(static.FS, func(name string) bool { return slices.Contains(shared, name) })))
	a.mux.HandleFunc("GET /{$}", a.page)
	a.mux.HandleFunc("GET /admin/{$}", a.page)
	a.mux.HandleFunc("GET /admin/{page}", a.page)
	a.mux.HandleFunc("GET /admin/{page}/{id}", a.page)
}

// files serves scripts, styles and texts; may says which.
func files(of fs.FS, may func(name string) bool) http.Handler {
	served := http.FileServerFS(of)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !may(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		served.ServeHTTP(w, r)
	})
}

// page is the shell, in the language that is asked for.
func (a *Admin) page(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	err := shell.Execute(&b, map[string]string{"Lang": lang(r), "Title": static.Say(lang(r), "admin.title", nil), "Center": a.cfg.Staff.Site().Name})
	if err != nil {
		a.log.Error("page", "err", err)
		http.Error(w, "the page cannot be shown; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// lang is the reader's language: what the address says, else what the browser prefers.
func lang(r *http.Request) string {
	if l := r.URL.Query().Get("lang"); l == "en" || l == "ja" {
		return l
	}
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		switch l, _, _ := strings.Cut(strings.TrimSpace(part), "-"); l {
		case "en", "ja":
			return l
		}
	}
	return "en"
}
