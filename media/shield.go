package media

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// shield is the SRTP of one line with one key of ours (RFC 3711). It lives as long as that key: hold and re-INVITE change
// nothing in it, since a context made anew would forget how often the sequence numbers wrapped (the ROC).
//
// pion's contexts are not for several goroutines, so each direction has a mutex; nobody waits for it but a line that moves.
type shield struct {
	name   string // for people; set before ready
	ours   secret // the key that stands in our session description, of SDES
	ready  atomic.Bool
	failed atomic.Uint64 // packets that were not what they should be

	outMu sync.Mutex
	out   *srtp.Context
	head  rtp.Header

	inMu  sync.Mutex
	in    *srtp.Context
	key   secret // of in
	suite *suite
	fresh bool          // nothing was opened with in yet
	was   *srtp.Context // of the key before, for packets under way
	until time.Time
	read  rtp.Header
	spare []byte
}

const (
	replayWindow = 128             // packets; RFC 3711 §3.3.2 asks for 64 at least
	lateKey      = 2 * time.Second // how long packets with the last key are still opened, at least until one came with the new
	sealRoom     = 32              // bytes that sealing may add: tag, SRTCP index

	// What is shorter is not SRTP, but some phone's empty packet in plain that opens a NAT.
	shortestRTP  = rtpHeader + 4 // tag of 32 bits
	shortestRTCP = 8 + 4 + 80/8  // header, index, tag (RFC 3711 §3.4)
)

// newContext makes one direction of SRTP.
func newContext(s *suite, key secret) (*srtp.Context, error) {
	k := []byte(key.reveal())
	c, err := srtp.CreateContext(k[:s.key], k[s.key:], s.profile, srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil, fmt.Errorf("srtp %s: %w", s.name, err)
	}
	return c, nil
}

// lock gives the shield its keys; sound may pass from now on.
func (s *shield) lock(name string, with *suite, ours, theirs secret) error {
	out, err := newContext(with, ours)
	if err != nil {
		return err
	}
	s.outMu.Lock()
	s.name, s.out = name, out
	s.outMu.Unlock()
	s.suite = with
	if err := s.rekey(theirs); err != nil {
		return err
	}
	s.ready.Store(true)
	return nil
}

// rekey opens with another key from now on. The same key changes nothing.
func (s *shield) rekey(theirs secret) error {
	s.inMu.Lock()
	defer s.inMu.Unlock()
	if s.in != nil && s.key.same(theirs) {
		return nil
	}
	in, err := newContext(s.suite, theirs)
	if err != nil {
		return err
	}
	s.was, s.until = s.in, time.Now().Add(lateKey)
	s.in, s.key, s.fresh = in, theirs, true
	return nil
}

// resumeLocked opens the first packet after a change of keys for those who go on counting wraps where the old key was, while
// others begin with none: the standard can be read both ways (RFC 4568 §7.1.4, RFC 3711 §3.3.1).
func (s *shield) resumeLocked(dst, b []byte) ([]byte, error) {
	roc, known := s.was.ROC(s.read.SSRC)
	if !known || roc == 0 {
		return nil, ErrNotSecure
	}
	in, err := newContext(s.suite, s.key)
	if err != nil {
		return nil, err
	}
	in.SetROC(s.read.SSRC, roc)
	plain, err := in.DecryptRTP(dst, b, &s.read)
	if err == nil {
		s.in = in
	}
	return plain, err
}

// seal locks the RTP packet at the beginning of buf in place; buf has room for the tag.
func (s *shield) seal(buf []byte, n int) (int, bool) {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	if s.out == nil {
		return 0, false
	}
	sealed, err := s.out.EncryptRTP(buf[:0], buf[:n], &s.head)
	return len(sealed), err == nil
}

// sealReport locks RTCP.
func (s *shield) sealReport(b []byte) ([]byte, bool) {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	if s.out == nil {
		return nil, false
	}
	sealed, err := s.out.EncryptRTCP(nil, b, &rtcp.Header{})
	return sealed, err == nil
}

// open unlocks an RTP packet in place. False: no keys yet, forged, or seen before.
func (s *shield) open(b []byte, now time.Time) ([]byte, bool) {
	s.inMu.Lock()
	defer s.inMu.Unlock()
	if s.in == nil || len(b) < shortestRTP {
		return nil, false
	}
	if s.was != nil && !s.fresh && now.After(s.until) {
		s.was = nil
	}
	if s.was != nil { // a context that fails may leave b in pieces
		s.spare = append(s.spare[:0], b...)
	}
	plain, err := s.in.DecryptRTP(b[:0], b, &s.read)
	if err != nil && s.was != nil {
		if plain, err = s.was.DecryptRTP(b[:0], s.spare, &s.read); err == nil {
			return plain, true
		}
		if s.fresh {
			plain, err = s.resumeLocked(b[:0], s.spare)
		}
	}
	if err != nil {
		s.failed.Add(1)
		return nil, false
	}
	s.fresh = false
	return plain, true
}

// openReport unlocks RTCP.
func (s *shield) openReport(b []byte) ([]byte, bool) {
	s.inMu.Lock()
	defer s.inMu.Unlock()
	if s.in == nil || len(b) < shortestRTCP {
		return nil, false
	}
	plain, err := s.in.DecryptRTCP(nil, b, &rtcp.Header{})
	if err != nil && s.was != nil {
		plain, err = s.was.DecryptRTCP(nil, b, &rtcp.Header{})
	}
	if err != nil {
		s.failed.Add(1)
	}
	return plain, err == nil
}
