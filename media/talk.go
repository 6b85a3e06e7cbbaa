package media

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// talk is the state of offer and answer of one line (RFC 3264).
type talk struct {
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

	sec    Security
	by     protection
	proto  string       // of our section
	keys   []cryptoLine // all keys of ours: one for each suite, the same as long as the line lives
	saying []cryptoLine // those that stand in our section
	print  fingerprint  // of our certificate, with DTLS
	source string       // SSRC and name of what we send, with DTLS
	setup  string       // our part in DTLS, as an answer says it
	mux    bool
	mid    string   // with a bundle
	ice    *checker // nil: not with them

	mismatch bool // they want it, and somebody between us has spoilt it
}

func (t *talk) begin(local netip.AddrPort, list []codec) {
	t.local, t.session, t.version = netip.AddrPortFrom(local.Addr().WithZone(""), local.Port()), rand.Uint64()>>2, 0
	t.proto = protoPlain
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

// write writes an offer of these formats. Whoever answers chooses who begins with DTLS (RFC 8842 §5.2).
func (t *talk) write(list []format, dir direction) string {
	t.mismatch = false
	return t.describe(list, dir, "actpass")
}

// describe is the session description; the version of o= grows only when the rest changes (RFC 3264 §8).
func (t *talk) describe(list []format, dir direction, setup string) string {
	family := "IP4"
	if t.local.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", family, t.local.Addr())
	if t.mid != "" {
		fmt.Fprintf(&b, "a=group:BUNDLE %s\r\n", t.mid)
	}
	for i := range max(len(t.refused), 1) {
		if i < len(t.refused) && i != t.place {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", t.refused[i].kind, t.refused[i].proto, t.refused[i].formats)
			continue
		}
		fmt.Fprintf(&b, "m=audio %d %s", t.local.Port(), t.proto)
		for _, f := range list {
			fmt.Fprintf(&b, " %d", f.pt)
		}
		b.WriteString("\r\n")
		for _, f := range list {
			writeFormat(&b, f)
		}
		fmt.Fprintf(&b, "a=ptime:%d\r\na=%s\r\n", frameTime, dir)
		t.writeSecurity(&b, setup)
	}
	if b.String() != t.body {
		t.body = b.String()
		t.version++
	}
	return fmt.Sprintf("v=0\r\no=- %d %d IN %s %s\r\n%s", t.session, t.version, family, t.local.Addr(), t.body)
}

// writeSecurity is what encrypts our section, and what its transport wants.
func (t *talk) writeSecurity(b *strings.Builder, setup string) {
	for _, line := range t.saying {
		b.WriteString(line.written())
	}
	if t.by == byDTLS { // gateways of the web want to know the source that will come (RFC 5576)
		fmt.Fprintf(b, "a=fingerprint:%s\r\na=setup:%s\r\na=ssrc:%s\r\n", t.print, setup, t.source)
	}
	if t.mux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	if t.mid != "" {
		fmt.Fprintf(b, "a=mid:%s\r\n", t.mid)
	}
	if t.ice != nil {
		t.ice.write(b, t.local)
	} else if t.mismatch {
		b.WriteString("a=ice-mismatch\r\n")
	}
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
		if err := l.prepareLocked(sec, true); err != nil {
			return err
		}
		offer = l.talk.offer(sendrecv)
		return nil
	})
	return offer, err
}

// AnswerLine opens a line for the offer of an INVITE and gives the answer. ErrNoCodec and ErrNotSecure are for a 488.
func (e *Engine) AnswerLine(id string, local netip.Addr, offer string, sec Security) (string, error) {
	var answer string
	_, err := e.newLine(id, local, func(l *line) (err error) {
		if err := l.prepareLocked(sec, false); err != nil {
			return err
		}
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
	return l.talk.write(l.oursLocked(), holding(hold, l.talk.heldBy)), nil
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
	i, d, err := l.chooseLocked(all)
	if err != nil {
		if answer, ok := l.pausedLocked(all); ok {
			return answer, nil
		}
		return "", err
	}
	s := all[i]
	c, pt := l.chosenLocked(s)
	said := []format{{pt, c.String(), specs[c].clock}}
	if d, ok := s.digits(c); ok {
		said = append(said, d)
	}
	t := &l.talk
	t.proto, t.mux, t.mid = s.proto, s.mux, "" // an answer keeps the profile of the offer
	if s.bundled() {
		t.mid = s.mid
	}
	l.meetICELocked(s)
	if err := l.agreeLocked(s, d, said, true); err != nil {
		return "", err
	}
	t.refused, t.place, t.heldBy, t.answer = all, i, s.held(), ""
	t.ours = merge(said, t.ours)
	dir := s.dir.turned()
	if s.nowhere() {
		dir &^= sendonly
	}
	if t.hold {
		dir &^= recvonly
	}
	return t.describe(said, dir, t.setup), nil
}

// chooseLocked finds the section to accept: the first that can be encrypted, else the first.
func (l *line) chooseLocked(all []section) (place int, d deal, err error) {
	place, err = -1, ErrNoCodec
	for i, s := range all {
		if c, _ := l.chosenLocked(s); !s.voice() || c == noCodec || !l.talk.reaches(s) {
			continue
		}
		how, refused := l.talk.meet(s)
		switch {
		case refused != nil && place < 0:
			err = refused
		case refused == nil && (place < 0 || d.by == unprotected && how.by != unprotected):
			place, d, err = i, how, nil
		}
	}
	return place, d, err
}

// reaches says that our address can send to theirs: one family knows nothing of the other.
func (t *talk) reaches(s section) bool {
	return s.addr.IsUnspecified() || s.addr.Is4() == t.local.Addr().Is4() ||
		slices.ContainsFunc(s.candidates, func(c candidate) bool { return c.worth(t.local.Addr()) })
}

// pausedLocked answers an offer that takes the sound away for a while, which some do for hold: our section with port 0
// (RFC 3264 §8.2).
func (l *line) pausedLocked(all []section) (string, bool) {
	t, r := &l.talk, l.route.Load()
	if r == nil || t.place >= len(all) || all[t.place].kind != "audio" || all[t.place].port != 0 {
		return "", false
	}
	still := *r
	still.send, still.speak, still.hear, still.since = false, false, false, time.Now()
	l.route.Store(&still)
	t.heldBy, t.answer = true, ""
	bare := *t
	bare.refused, bare.place, bare.mid, bare.ice = all, len(all), "", nil
	answer := bare.describe(nil, inactive, "")
	t.body, t.version = bare.body, bare.version
	return answer, true
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
	err = ErrNoCodec
	for _, s := range all {
		if c, _ := l.chosenLocked(s); !s.voice() || c == noCodec || !l.talk.reaches(s) {
			continue
		}
		d, refused := l.talk.met(s)
		if refused != nil {
			err = refused
			continue
		}
		hold := l.talk.hold
		l.talk.hold = l.talk.wantHold
		if err := l.agreeLocked(s, d, l.talk.ours, false); err != nil {
			l.talk.hold = hold
			return err
		}
		l.talk.answer, l.talk.mux = answer, l.talk.mux && s.mux
		return nil
	}
	return err
}

// agreeLocked makes the new route: we send with the payload types of their section and receive with those we said.
func (l *line) agreeLocked(s section, by deal, said []format, offered bool) error {
	shield, err := l.protectLocked(by, s, offered)
	if err != nil {
		return err
	}
	c, pt := l.chosenLocked(s)
	r := &route{codec: c, pt: pt, remote: netip.AddrPortFrom(s.addr, s.port), since: time.Now(), shield: shield, assoc: l.assoc, frame: s.pace()}
	if d, ok := s.digits(c); ok {
		r.digit, r.hz = d.pt, d.clock
	}
	for _, f := range said {
		if r.recv[f.pt] = codecNamed(f.name, f.clock); r.recv[f.pt] == noCodec {
			r.recv[f.pt] = digits
		}
	}
	r.send = s.dir.receives() && !s.nowhere()
	r.speak = r.send && !l.talk.hold
	r.hear = s.dir.sends() && !l.talk.hold
	r.mux = l.talk.mux && s.mux
	if !s.nowhere() && !(s.senders && s.receivers) && (r.mux || by.by != byDTLS) { // RFC 3264 §8.4: held, no RTCP either
		r.rtcp = netip.AddrPortFrom(s.addr, s.rtcpPort())
	}
	old := l.route.Load()
	elsewhere := old == nil || old.remote != r.remote || old.way != nil
	if l.checkLocked(s, r.since) {
		r.way, elsewhere = &l.open, false
	} else if to := l.to.Load(); elsewhere && to != nil {
		r.former = *to
	} else if old != nil {
		r.former = old.former
	}
	l.shield = shield
	l.route.Store(r)
	if elsewhere {
		l.aim(r)
	}
	l.settleLocked()
	l.beginLocked()
	return nil
}

// aim sends packets to the signalled address from now on.
func (l *line) aim(r *route) {
	l.heard.Store(0)
	if r.remote.Addr().IsUnspecified() {
		l.to.Store(nil)
		return
	}
	l.to.Store(&r.remote)
}
