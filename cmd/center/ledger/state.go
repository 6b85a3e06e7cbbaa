package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// State is the log for a person to look at.
type State struct {
	Mode       string        `json:"mode"` // solo, cluster, outside
	Seq        Seq           `json:"seq"`  // of the newest event
	ReadOnly   string        `json:"readOnly,omitempty"`
	Durability string        `json:"durability"`
	Free       uint64        `json:"free"`           // bytes of the disk
	Skew       time.Duration `json:"skew,omitempty"` // of the leader's clock against ours
	Members    []MemberState `json:"members,omitempty"`
}

// MemberState is one copy of the log in a cluster.
type MemberState struct {
	Name    string        `json:"name"`
	Leads   bool          `json:"leads,omitempty"`
	Offline bool          `json:"offline,omitempty"`
	Lag     uint64        `json:"lag,omitempty"`    // events it is behind
	Silent  time.Duration `json:"silent,omitempty"` // since it was heard of
}

// State looks at the log and its copies.
func (l *Ledger) State(ctx context.Context) (State, error) {
	h := l.Health()
	s := State{Mode: "solo", ReadOnly: h.ReadOnly, Durability: h.Durability, Free: h.Free, Skew: h.Skew}
	switch {
	case l.cfg.Cluster != nil:
		s.Mode = "cluster"
	case len(l.cfg.URLs) > 0:
		s.Mode = "outside"
	}
	info, err := l.at.Load().stream.Info(ctx)
	if err != nil {
		return s, fmt.Errorf("look at the log: %w", err)
	}
	s.Seq = Seq(info.State.LastSeq)
	if info.Cluster == nil || s.Mode == "solo" {
		return s, nil
	}
	if info.Cluster.Leader != "" {
		s.Members = append(s.Members, MemberState{Name: info.Cluster.Leader, Leads: true})
	}
	for _, p := range info.Cluster.Replicas {
		s.Members = append(s.Members, MemberState{Name: p.Name, Offline: p.Offline || !p.Current && p.Active > l.electionTime(), Lag: p.Lag, Silent: p.Active})
	}
	return s, nil
}

// Err says what is wrong with a copy; nil for a good one.
func (m MemberState) Err() error {
	const behind = 1000
	switch {
	case m.Offline:
		return fmt.Errorf("is not reached for %v", m.Silent.Round(time.Second))
	case m.Lag > behind:
		return fmt.Errorf("is %d events behind", m.Lag)
	}
	return nil
}

func (m MemberState) String() string {
	if m.Leads {
		return "leads"
	}
	return fmt.Sprintf("%d events behind", m.Lag)
}

// ClockErr complains about a clock that differs from another node's by more than a second: times in the history, codes of a
// second factor and certificates go by it.
func (s State) ClockErr() error {
	if s.Skew > time.Second || s.Skew < -time.Second {
		return errors.New("this node's clock and the leader's differ by " + s.Skew.Round(time.Millisecond).String() + ": use NTP")
	}
	return nil
}
