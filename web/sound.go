package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"zaseki/web/guard"
	"zaseki/web/socket"
)

// The way of a page's sound to the engine and back: plumbing, not state, so that it has requests of its own.

// offer carries a page's SDP to the sound engine and the answer back.
func (s *Server) offer(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Page    string `json:"page"`
		SDP     string `json:"sdp"`
		Network bool   `json:"network"` // this browser does not speak to 127.0.0.1
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
	sdp, err := s.cfg.Sound.Offer(r.Context(), ask.Page, ask.SDP, ask.Network)
	if err != nil {
		s.cfg.Log.Warn("page offer", "page", ask.Page, "err", err)
		http.Error(w, "the offer was refused", http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"sdp": sdp})
}

const (
	pcmLimit = 4 << 10 // bytes of one message; it has 640
	pcmQueue = 3       // messages of 20 ms: what a page cannot take yet is replaced by what is newer
)

// pcm is GET /media/pcm?page=ID, where WebRTC cannot work: samples by websocket, see media.Engine.PCM.
func (s *Server) pcm(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("page")
	if !pageID.MatchString(id) {
		http.Error(w, "page is needed", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	_, open := s.pages[id]
	s.mu.Unlock()
	if s.cfg.Sound == nil || !open {
		http.Error(w, "no such page", http.StatusNotFound)
		return
	}
	s.open.Add(1)
	defer s.open.Done()
	conn, err := socket.Accept(w, r, socket.Options{CheckOrigin: guard.Own, Raw: socket.Binary, Queue: pcmQueue, ReadLimit: pcmLimit,
		PingEvery: 5 * time.Second, WriteWait: 2 * time.Second})
	if err != nil {
		s.cfg.Log.Debug("page refused", "err", err)
		return
	}
	defer conn.Close(socket.GoingAway, "over")
	err = s.cfg.Sound.PCM(r.Context(), id, conn.ReadRaw, conn.PushRaw)
	var far *socket.Closed
	if err != nil && !errors.As(err, &far) && r.Context().Err() == nil {
		s.cfg.Log.Warn("page samples", "page", id, "err", err)
	}
}
