// Package static holds everything a browser gets and every text a person reads: pages, scripts, styles, icons, and the
// messages of tray and pages in both languages.
package static

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

//go:embed index.html css/*.css css/later/*.css js/*.js js/later/*.js js/view/*.js icons/*.svg i18n/*.json help
var FS embed.FS

// Notices are the licences of the libraries that our programs are built from; .ci/notices writes them.
//
//go:embed NOTICES.txt
var Notices string

// Languages are those we speak; the first is the fallback. A language's messages are i18n/LANG.json, and what only the center's
// administration says i18n/admin-LANG.json, so that a phone's page does not load it.
var Languages = []string{"en", "ja"}

var texts = sync.OnceValue(func() map[string]map[string]string {
	all := make(map[string]map[string]string, len(Languages))
	for _, lang := range Languages {
		m := map[string]string{}
		for _, part := range []string{"", "admin-"} {
			data, err := FS.ReadFile("i18n/" + part + lang + ".json")
			if err != nil {
				panic(fmt.Sprintf("embedded texts: %v", err)) // the embed directive names the folder; a test reads all
			}
			if err := json.Unmarshal(data, &m); err != nil { // adds to what is there
				panic(fmt.Sprintf("embedded texts %s%s: %v", part, lang, err))
			}
		}
		all[lang] = m
	}
	return all
})

// Texts are all messages of that language, by key.
func Texts(lang string) map[string]string {
	if m, ok := texts()[lang]; ok {
		return m
	}
	return texts()[Languages[0]]
}

// Say is the message of that key with its {holes} filled. A missing key is shown as the key, so that it is seen and mended.
func Say(lang, key string, holes map[string]string) string {
	s, ok := Texts(lang)[key]
	if !ok {
		return key
	}
	for k, v := range holes {
		s = strings.ReplaceAll(s, "{"+k+"}", v)
	}
	return s
}
