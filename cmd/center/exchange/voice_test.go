package exchange

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/sip"
)

// speaker is a phone with something like sound: of each call it knows where it would send to, and whether it may. Two that send
// to each other hear each other.
type speaker struct {
	*phone
	port   int
	crypto string // a=crypto lines that its descriptions carry, with RTP/SAVP
	deaf   bool   // refuses every new offer

	mu    sync.Mutex
	calls map[string]*sound
}

type sound struct {
	to      string // port of the far side
	key     string // its a=crypto lines
	sends   bool   // the far side wants to hear us
	holding bool
	version int
}

func (f *floor) speaker(user string, port int, change ...func(*sip.Account)) *speaker {
	s := f.unheard(user, port)
	f.register(s.phone, "udp", change...)
	return s
}

func (f *floor) unheard(user string, port int) *speaker {
	s := &speaker{port: port, calls: map[string]*sound{}}
	s.phone = f.phoneThat(user, s.look, s.reoffer)
	return s
}

// look takes over what comes with a call and with its answer.
func (s *speaker) look(e sip.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := e.(type) {
	case sip.Incoming:
		s.hearLocked(e.Call, e.SDP)
	case sip.Answered:
		s.hearLocked(e.Call, e.SDP)
	}
}

func (s *speaker) hearLocked(call, sdp string) *sound {
	v := s.calls[call]
	if v == nil {
		v = &sound{}
		s.calls[call] = v
	}
	for line := range strings.Lines(sdp) {
		if media, ok := strings.CutPrefix(line, "m=audio "); ok {
			v.to, _, _ = strings.Cut(media, " ")
		}
	}
	v.key = cryptoOf(sdp)
	v.sends = !strings.Contains(sdp, "a=sendonly") && !strings.Contains(sdp, "a=inactive")
	return v
}

func (s *speaker) reoffer(call, sdp string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf {
		return "", errors.New("deaf")
	}
	v := s.hearLocked(call, sdp)
	return s.saysLocked(v), nil
}

// saysLocked is the own description as an answer to what was heard last.
func (s *speaker) saysLocked(v *sound) string {
	v.version++
	way := "sendrecv"
	switch {
	case v.holding && !v.sends:
		way = "inactive"
	case v.holding:
		way = "sendonly"
	case !v.sends:
		way = "recvonly"
	}
	proto := "RTP/AVP"
	if s.crypto != "" {
		proto = "RTP/SAVP"
	}
	return fmt.Sprintf("v=0\r\no=- %d %d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d %s 0\r\n%sa=%s\r\n",
		s.port, v.version, s.port, proto, s.crypto, way)
}

func (s *speaker) sdp() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saysLocked(&sound{sends: true})
}

// call makes an answered call; it returns the call's name at the other phone.
func (s *speaker) call(name string, to *speaker, number string) string {
	s.t.Helper()
	if err := s.Dial(ctxFor(s.t), name, number, s.sdp()); err != nil {
		s.t.Fatal(err)
	}
	in := to.take()
	next[sip.Answered](s.phone)
	return in.Call
}

// cryptoOf are the a=crypto lines.
func cryptoOf(sdp string) string {
	var keys string
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "a=crypto:") {
			keys += line
		}
	}
	return keys
}

func (s *speaker) hearsKey(call string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call].key
}

// take answers the next call.
func (s *speaker) take() sip.Incoming {
	s.t.Helper()
	in := next[sip.Incoming](s.phone)
	s.Ring(in.Call)
	if err := s.Answer(ctxFor(s.t), in.Call, s.sdp()); err != nil {
		s.t.Fatal(err)
	}
	return in
}

// hold offers to send only, as a phone does before it sends a call on.
func (s *speaker) hold(call string, on bool) {
	s.t.Helper()
	s.mu.Lock()
	v := s.calls[call]
	v.holding, v.sends = on, true
	offer := s.saysLocked(v)
	s.mu.Unlock()
	answer, err := s.Reinvite(ctxFor(s.t), call, offer)
	if err != nil {
		s.t.Fatalf("%s holds: %v", s.user, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hearLocked(call, answer)
}

func (s *speaker) sound(call string) (to string, sends bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.calls[call]; v != nil {
		return v.to, v.sends && !v.holding
	}
	return "", false
}

// hear fails unless both calls of these phones send to each other soon.
func hear(t *testing.T, a *speaker, aCall string, b *speaker, bCall string) {
	t.Helper()
	var last string
	for end := time.Now().Add(long); time.Now().Before(end); {
		aTo, aSends := a.sound(aCall)
		bTo, bSends := b.sound(bCall)
		last = fmt.Sprintf("%s sends %v to %s, %s sends %v to %s", a.user, aSends, aTo, b.user, bSends, bTo)
		if aTo == fmt.Sprint(b.port) && bTo == fmt.Sprint(a.port) && aSends && bSends && a.hearsKey(aCall) == b.crypto && b.hearsKey(bCall) == a.crypto {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("%s (port %d) and %s (port %d) do not hear each other: %s", a.user, a.port, b.user, b.port, last)
}
