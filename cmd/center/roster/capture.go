package roster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// KindCapture is the question for a phone's settings, and the phone's answer. Both go through the ledger, since the phone may be
// connected to another node than the administrator; the answer is sealed with the center's key and taken away once it is read.
const KindCapture = "capture"

const (
	captureTime = 10 * time.Second // for a phone to answer
	captureLook = 25 * time.Millisecond
)

// Capture is a question and its answer.
type Capture struct {
	ID     string    `json:"id"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Answer []byte    `json:"answer,omitempty"` // sealed JSON of wire.Values
}

func (c Capture) name(account string) string { return "capture " + account + " " + c.ID }

// AskSettings asks the phone of whoever is signed in as account for its settings, on whichever node it is. Its errors are a
// wire.Problem: phone.away, phone.silent, row.unknown.
func (r *Roster) AskSettings(ctx context.Context, account, by string) (wire.Values, error) {
	id := rand.Text()
	err := r.change(ctx, by, func(d *draft) error {
		if _, ok := d.accounts[account]; !ok {
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": account}}
		}
		if a := d.agents[account].v; a.Session == nil || a.Conn != connUp || !r.reachableLocked(account) {
			return wire.Problem{Code: wire.ProblemPhoneAway, Holes: map[string]string{"who": d.name(account)}}
		}
		d.add(KindCapture, account, d.captureSeq(account), &Capture{ID: id, By: by, At: d.now}, "settings asked for")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the settings of %s: %w", account, err)
	}
	defer r.forgetCapture(context.WithoutCancel(ctx), account, id)
	v, err := r.captured(ctx, account, id)
	if err != nil {
		return nil, fmt.Errorf("ask for the settings of %s: %w", account, err)
	}
	return v, nil
}

// reachableLocked says whether the phone's connection is there, as far as this node knows.
func (r *Roster) reachableLocked(account string) bool {
	s := r.view.agents[account].v.Session
	if s.Node == r.cfg.Node {
		return r.links[account] != nil
	}
	_, lost := r.lostLocked(s.Node)
	return !lost
}

func (d *draft) captureSeq(account string) ledger.Seq {
	return max(d.captures[account].seq, d.gone[ledger.Subject(KindCapture, account)])
}

// captured waits for the answer.
func (r *Roster) captured(ctx context.Context, account, id string) (wire.Values, error) {
	over := time.NewTimer(captureTime)
	defer over.Stop()
	tick := time.NewTicker(captureLook)
	defer tick.Stop()
	for {
		r.mu.RLock()
		c, who := r.view.captures[account].v, r.view.name(account)
		r.mu.RUnlock()
		if c.ID == id && c.Answer != nil {
			return r.unseal(account, c)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-over.C:
			return nil, wire.Problem{Code: wire.ProblemPhoneSilent, Holes: map[string]string{"who": who, "seconds": strconv.Itoa(int(captureTime.Seconds()))}}
		case <-tick.C:
		}
	}
}

func (r *Roster) unseal(account string, c Capture) (v wire.Values, err error) {
	text, err := r.vault.open(c.Answer, c.name(account))
	if err == nil {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

// forgetCapture takes question and answer out of the present state.
func (r *Roster) forgetCapture(ctx context.Context, account, id string) {
	err := r.change(ctx, bySystem, func(d *draft) error {
		if c := d.captures[account]; c.v.ID == id {
			d.tombstone(KindCapture, account, c.seq)
		}
		return nil
	})
	if err != nil {
		r.log.Warn("a phone's settings stay in the log until they are asked for again", "account", account, "err", err)
	}
}

// tellSettings keeps what a phone answered, if it was asked just now.
func (d *draft) tellSettings(account string, said wire.Values, v vault) error {
	c := d.captures[account]
	if c.seq == 0 || c.v.Answer != nil || d.now.Sub(c.v.At) > captureTime {
		return nil
	}
	text, err := json.Marshal(known(said))
	if err != nil {
		return err
	}
	answered := c.v
	if answered.Answer, err = v.seal(string(text), c.v.name(account)); err != nil {
		return err
	}
	d.add(KindCapture, account, c.seq, &answered, "settings told")
	return nil
}

// known are the values that a policy could lock.
func known(said wire.Values) wire.Values {
	good := wire.Values{}
	for _, s := range wire.AllSettings() {
		if v, ok := said[s.Name]; ok {
			if v, ok := s.Check(v); ok {
				good[s.Name] = v
			}
		}
	}
	return good
}

// askLocked has the account's phone asked, if it is connected here.
func (r *Roster) askLocked(account string) {
	c := r.view.captures[account].v
	if l := r.links[account]; l != nil && c.ID != "" && c.Answer == nil && time.Since(c.At) < captureTime {
		l.touch(func() { l.asked = c.By })
	}
}
