package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"zaseki/web/wire"
)

// Book is the shared phonebook as the phone has it.
type Book interface {
	// Phonebook may be empty, with Rev 0.
	Phonebook() wire.Phonebook
}

// phonebook is GET /phonebook: the whole of it; a page asks again when Snapshot.Book is another. ETag is that Rev.
func (s *Server) phonebook(w http.ResponseWriter, r *http.Request) {
	book := s.cfg.Book.Phonebook()
	tag := `"` + strconv.FormatUint(book.Rev, 10) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	if slices.Contains(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(book)
}
