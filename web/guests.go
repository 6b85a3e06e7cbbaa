package web

import (
	"net/http"
	"slices"
	"time"

	"zaseki/web/wire"
)

// What pages of a customer system may ask of this phone, once the person has switched it on and said yes to their origins (PRODUCT A15):
//
//	fetch("http://127.0.0.1:47355/crm/dial", {method: "POST", headers: {"Content-Type": "application/json"},
//	  body: JSON.stringify({uri: "tel:0312345678"})})  → 204, 403 not listed, 400, 415, 429 too often
//
// It becomes what a click on a link becomes: a question. There is no session, no cookie, and nothing to read. A page whose origin is
// not listed is refused, and the person is asked whether it may from now on; it has to ask again.
const guestPath = "/crm/dial"

const (
	asksEvery  = time.Second // a person clicks no faster for long
	asksBurst  = 3
	ringsEvery = 10 * time.Second // between two strangers of whom the agent is told
)

// Guests says whose pages may ask this phone to dial.
type Guests interface {
	// Origins are those listed, as browsers say them; on is false when nobody may ask.
	Origins() (listed []string, on bool)
}

// admits says that the request comes from a page of one origin, and that pages may ask at all.
func (s *Server) admits(origins []string) bool {
	if s.cfg.Guests == nil || len(origins) != 1 || !plainOrigin(origins[0]) {
		return false
	}
	_, on := s.cfg.Guests.Origins()
	return on
}

// invited says that the request's one origin is listed, exactly. Of a stranger the agent is told, who may ask the person.
func (s *Server) invited(origins []string) bool {
	if !s.admits(origins) {
		return false
	}
	listed, _ := s.cfg.Guests.Origins()
	if slices.Contains(listed, origins[0]) {
		return true
	}
	if s.rings.Allow() {
		s.cfg.Agent.Post(wire.OriginAsks{Origin: origins[0]})
	}
	return false
}

// plainOrigin says that it is an origin as wire.Origin takes it: "null" stands for every page without one.
func plainOrigin(origin string) bool {
	o, ok := wire.Origin(origin)
	return ok && o == origin
}

// greet says to the browser that this origin may ask. Private-Network is what browsers want of a page from the network.
func (s *Server) greet(w http.ResponseWriter, r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if !s.invited(origins) {
		http.Error(w, "foreign origin", http.StatusForbidden)
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origins[0])
	h.Set("Vary", "Origin")
	return true
}

// guestAsks is the browser's question beforehand (Fetch standard, CORS-preflight).
func (s *Server) guestAsks(w http.ResponseWriter, r *http.Request) {
	if !s.greet(w, r) {
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", http.MethodPost)
	h.Set("Access-Control-Allow-Headers", "Content-Type")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) guestDial(w http.ResponseWriter, r *http.Request) {
	if !s.greet(w, r) {
		return
	}
	if !s.asks.Allow() {
		http.Error(w, "too often", http.StatusTooManyRequests)
		return
	}
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
