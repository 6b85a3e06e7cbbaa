package stack

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	inboundsMax = 20000           // requests under way; above that nothing is kept of a new one
	settledMax  = 500000          // requests remembered
	sweepTime   = 2 * time.Second // between looks for what may be forgotten
)

// settled is what stays of a request that has its answer: as much as a repetition needs (RFC 3261 §17.2.2, RFC 6026 §7.1).
// Busy servers have a hundred thousand of them, so it holds on to nothing else.
type settled struct {
	key, merge string
	tag        string
	answer     []byte // said once more when the request is; nil when it is only absorbed
	until      time.Time
}

// settle sends the final answer that needs no machine any more and keeps what a repetition needs.
func (in *Inbound) settle(res *sip.Response, out sender) error {
	s := in.stack
	done := &settled{key: in.key, merge: in.merge, tag: in.tag, until: time.Now().Add(64 * sip.T1)}
	data := s.encode(res)
	defer s.recycle(data)
	if in.tx == nil && in.Link.network == "udp" {
		done.answer = append([]byte(nil), data.Bytes()...)
	}
	s.mu.Lock()
	if s.inbounds[in.key] == in {
		delete(s.inbounds, in.key)
		if len(s.settled) < settledMax {
			s.settled[in.key] = done
			s.settling = append(s.settling, done)
		} else {
			s.forgetMergeLocked(in.key, in.merge)
		}
	}
	s.mu.Unlock()
	err := out.writeBytes(data.Bytes())
	if in.tx != nil {
		in.tx.Terminate() // 2xx of an INVITE: the machine has nothing more to do
	}
	return err
}

func (s *Stack) forgetMergeLocked(key, merge string) {
	if merge != "" && s.merged[merge] == key {
		delete(s.merged, merge)
	}
}

// forgetMerge lets the same INVITE come once more, by another branch, after it was refused: a proxy that was sent elsewhere in vain
// asks again. That request is over, and RFC 3261 §8.2.2.2 speaks of those that are not.
func (s *Stack) forgetMerge(in *Inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetMergeLocked(in.key, in.merge)
}

// drop forgets a request whose machine ended. One that is settled stays so.
func (s *Stack) drop(in *Inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inbounds[in.key] == in {
		delete(s.inbounds, in.key)
		s.forgetMergeLocked(in.key, in.merge)
	}
}

// sweep forgets what nobody repeats any more, and what no handler ever answered.
func (s *Stack) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for ; n < len(s.settling) && now.After(s.settling[n].until); n++ {
		done := s.settling[n]
		s.settling[n] = nil
		delete(s.settled, done.key)
		s.forgetMergeLocked(done.key, done.merge)
	}
	s.settling = s.settling[n:]
	if len(s.settling) == 0 {
		s.settling = nil
	}
	for key, in := range s.inbounds {
		if in.tx == nil && now.Sub(in.born) > 128*sip.T1 {
			delete(s.inbounds, key)
			s.forgetMergeLocked(key, in.merge)
		}
	}
}
