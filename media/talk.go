package media

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// talk is the state of offer and answer of one line (RFC 3264).
type talk struct {
	sec     Security
	local   netip.AddrPort
	session uint64 // of o=, stays
	version uint64 // of o=, one more whenever what follows it changes
	body    string // sent last, without o=

	ours     []format // we offer, in order; payload types stay as they are once they were said
	hold     bool     // we hold
	wantHold bool     // asked for by the offer under way
	heldBy   bool     // the far side holds us
	answer   string   // taken last
	refused  []section
	place    int // of our section among those
}

func (t *talk) begin(local netip.AddrPort, list []codec) {
	t.local, t.session, t.version = local, rand.Uint64()>>2, 0
	for _, c := range list {
		t.ours = append(t.ours, format{specs[c].pt, c.String(), specs[c].clock})
		if c == opus {
			t.ours = append(t.ours, format{digitsPT48, "telephone-event", 48000})
		}
	}
	t.ours = append(t.ours, format{digitsPT8, "telephone-event", 8000})
}

const (
	digitsPT8  = 101
	digitsPT48 = 110
)

// offer writes our offer in that direction.
func (t *talk) offer(dir direction) string { return t.write(t.ours, dir) }

// write is the session description; the version of o= grows only when the rest changes (RFC 3264 §8).
func (t *talk) write(list []format, dir direction) string {
	family := "IP4"
	if t.local.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", family, t.local.Addr())
	for i := range max(len(t.refused), 1) {
		if i < len(t.refused) && i != t.place {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", t.refused[i].kind, t.refused[i].proto, t.refused[i].formats)
			continue
		}
		fmt.Fprintf(&b, "m=audio %d RTP/AVP", t.local.Port())
		for _, f := range list {
			fmt.Fprintf(&b, " %d", f.pt)
		}
		b.WriteString("\r\n")
		for _, f := range list {
			writeFormat(&b, f)
		}
		fmt.Fprintf(&b, "a=ptime:%d\r\na=%s\r\n", frameTime, dir)
	}
	if b.String() != t.body {
		t.body = b.String()
		t.version++
	}
	return fmt.Sprintf("v=0\r\no=- %d %d IN %s %s\r\n%s", t.session, t.version, family, t.local.Addr(), t.body)
}

func writeFormat(b *strings.Builder, f format) {
	c := codecNamed(f.name, f.clock)
	if c == noCodec {
		fmt.Fprintf(b, "a=rtpmap:%d %s/%d\r\na=fmtp:%d 0-15\r\n", f.pt, f.name, f.clock, f.pt)
		return
	}
	fmt.Fprintf(b, "a=rtpmap:%d %s\r\n", f.pt, specs[c].encoding)
	if specs[c].fmtp != "" {
		fmt.Fprintf(b, "a=fmtp:%d %s\r\n", f.pt, specs[c].fmtp)
	}
}

// OpenLine opens a line and gives the offer for it: for the INVITE, or for the answer to one without an offer.
func (e *Engine) OpenLine(id string, local netip.Addr, sec Security) (string, error) {
	var offer string
	_, err := e.newLine(id, local, func(l *line) error {
		l.talk.sec = sec
		offer = l.talk.offer(sendrecv)
		return nil
	})
	return offer, err
}

// AnswerLine opens a line for the offer of an INVITE and gives the answer. ErrNoCodec and ErrNotSecure are for a 488.
func (e *Engine) AnswerLine(id string, local netip.Addr, offer string, sec Security) (string, error) {
	var answer string
	_, err := e.newLine(id, local, func(l *line) (err error) {
		l.talk.sec = sec
		answer, err = l.answerLocked(offer)
		return err
	})
	return answer, err
}

// Reanswer answers the offer of a re-INVITE or UPDATE: hold, resume, another address or codec.
func (e *Engine) Reanswer(id, offer string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		return "", ErrNoLine
	}
	answer, err := l.answerLocked(offer)
	e.tellPagesLocked(time.Now())
	return answer, err
}

// SetAnswer takes the answer to our last offer, early or final; the same one again changes nothing.
func (e *Engine) SetAnswer(id, answer string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		return ErrNoLine
	}
	err := l.answeredLocked(answer)
	e.tellPagesLocked(time.Now())
	return err
}

// HoldOffer offers hold or resume. It takes effect with SetAnswer, so that a refused re-INVITE changes nothing.
func (e *Engine) HoldOffer(id string, hold bool) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		return "", ErrNoLine
	}
	l.talk.wantHold, l.talk.answer = hold, ""
	return l.talk.offer(holding(hold, l.talk.heldBy)), nil
}

// holding is the direction we offer (RFC 3264 §8.4): hold is sendonly, and inactive when the far side holds us too.
func holding(hold, heldBy bool) direction {
	switch {
	case hold && heldBy:
		return inactive
	case hold:
		return sendonly
	}
	return sendrecv
}

// answerLocked answers an offer: the first of its codecs that is ours, with its payload types.
func (l *line) answerLocked(offer string) (string, error) {
	all, err := parseSDP(offer)
	if err != nil {
		return "", err
	}
	list := codecsNamed(l.e.cfg.Codecs)
	for i, s := range all {
		c, pt := s.chosen(list)
		if !s.voice() || c == noCodec {
			continue
		}
		t := &l.talk
		t.refused, t.place, t.heldBy, t.answer = all, i, s.held(), ""
		said := []format{{pt, c.String(), specs[c].clock}}
		if d, ok := s.digits(c); ok {
			said = append(said, d)
		}
		t.ours = merge(said, t.ours)
		dir := s.dir.turned()
		if s.addr.IsUnspecified() {
			dir &^= sendonly
		}
		if t.hold {
			dir &^= recvonly
		}
		l.agreeLocked(s, c, pt, said)
		return t.write(said, dir), nil
	}
	return "", ErrNoCodec
}

// merge puts what was agreed in front of what else we may offer later, without using a payload type for two things.
func merge(said, ours []format) []format {
	list := append([]format(nil), said...)
	for _, f := range ours {
		clash := false
		for _, s := range said {
			clash = clash || s.pt == f.pt || strings.EqualFold(s.name, f.name) && s.clock == f.clock
		}
		if !clash {
			list = append(list, f)
		}
	}
	return list
}

// answeredLocked takes the answer to our offer.
func (l *line) answeredLocked(answer string) error {
	if answer == l.talk.answer {
		return nil
	}
	all, err := parseSDP(answer)
	if err != nil {
		return err
	}
	list := codecsNamed(l.e.cfg.Codecs)
	for _, s := range all {
		if c, pt := s.chosen(list); s.voice() && c != noCodec {
			l.talk.answer, l.talk.hold = answer, l.talk.wantHold
			l.agreeLocked(s, c, pt, l.talk.ours)
			return nil
		}
	}
	return ErrNoCodec
}

// agreeLocked makes the new route: we send with the payload types of their section and receive with those we said.
func (l *line) agreeLocked(s section, c codec, pt uint8, said []format) {
	r := &route{codec: c, pt: pt, remote: netip.AddrPortFrom(s.addr, s.port), since: time.Now()}
	if d, ok := s.digits(c); ok {
		r.digit, r.hz = d.pt, d.clock
	}
	for _, f := range said {
		if r.recv[f.pt] = codecNamed(f.name, f.clock); r.recv[f.pt] == noCodec {
			r.recv[f.pt] = digits
		}
	}
	r.send = s.dir.receives() && !s.addr.IsUnspecified()
	r.speak = r.send && !l.talk.hold
	r.hear = s.dir.sends() && !l.talk.hold
	if !s.addr.IsUnspecified() { // RFC 3264 §8.4: no RTCP either
		r.rtcp = netip.AddrPortFrom(s.addr, s.rtcpPort())
	}
	if old := l.route.Load(); old == nil || old.remote != r.remote {
		l.to.Store(&r.remote)
		l.heard.Store(0)
	}
	l.route.Store(r)
}
