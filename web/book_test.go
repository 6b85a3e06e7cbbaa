package web

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"zaseki/web/wire"
)

type book wire.Phonebook

func (b *book) Phonebook() wire.Phonebook { return wire.Phonebook(*b) }

func TestThePhonebookIsForPagesOfThisPhoneAlone(t *testing.T) {
	shared := &book{Rev: 7, Contacts: []wire.Contact{{Name: "鈴木<b>", Number: "0312345678"}}}
	r := startWith(t, func(c *Config) { c.Book = shared })
	ask := func(bearer, tag string) (*http.Response, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.own+"/phonebook", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+bearer)
		req.Header.Set("If-None-Match", tag)
		req.Close = true
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	if res, body := ask("wrong", ""); res.StatusCode != http.StatusUnauthorized || len(body) > 20 {
		t.Errorf("without a session: %s %s", res.Status, body)
	}
	token := r.guard.Token().Reveal()
	res, body := ask(token, "")
	var got wire.Phonebook
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Rev != 7 || len(got.Contacts) != 1 || got.Contacts[0] != shared.Contacts[0] {
		t.Errorf("%s %s, %v", res.Status, body, err)
	}
	if h := res.Header; h.Get("ETag") != `"7"` || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" {
		t.Errorf("said with %v", h)
	}
	if res, body := ask(token, `"7"`); res.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("known already: %s %s", res.Status, body)
	}
	*shared = book{Contacts: []wire.Contact{}}
	if res, body := ask(token, `"7"`); res.StatusCode != http.StatusOK || body != `{"rev":0,"contacts":[]}`+"\n" {
		t.Errorf("there is none: %s %s", res.Status, body)
	}
}
