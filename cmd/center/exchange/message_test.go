package exchange

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/sip"
)

// tape is the file of a message in a test.
type tape struct {
	mu     sync.Mutex
	blocks [][]byte
	kept   bool
	gone   bool
}

func (p *tape) Write(block []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blocks = append(p.blocks, slices.Clone(block))
	return nil
}

func (p *tape) Keep(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = true
	return nil
}

func (p *tape) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
}

func (p *tape) ID() string { return "tape" }

func (p *tape) ended() (kept, dropped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept, p.gone
}

func TestACallerLeavesAMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("somebody has to speak")
	}
	for name, r := range map[string]struct {
		hz   float64                       // what the caller says
		end  func(t *testing.T, k *talker) // how the caller ends; nil: not at all
		kept bool
	}{
		"and hangs up":         {300, func(t *testing.T, k *talker) { k.Hangup(ctxFor(t), "c1") }, true},
		"and presses the key":  {300, func(t *testing.T, k *talker) { k.engine.Digits("c1", "#") }, true},
		"says nothing at all":  {0, nil, false},
		"hangs up at the tone": {0, func(t *testing.T, k *talker) { k.Hangup(ctxFor(t), "c1") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, asked := &tape{}, VoiceMessage{}
			f := newFloor(t, func(c *Config) {
				c.Message = func(v VoiceMessage) (MessageFile, error) { asked = v; return p, nil }
			})
			f.be(QueueState{Closed: "closed", Language: "en", Rules: []Rule{{When: "closed", Do: "voice"}}})
			customer := f.talker("trunk", r.hz, media.Security{}, func(a *sip.Account) { a.From = "0312345678" })
			customer.call("c1", "7000")
			next[sip.Answered](customer.phone)
			customer.wantTone(1000, time.Time{}) // the words, and then the beep
			if r.end != nil {
				if r.kept { // two seconds of speech
					heard := time.Now()
					comes(t, "it is recorded", func() bool { return time.Since(heard) > 2500*time.Millisecond })
				}
				r.end(t, customer)
			}
			comes(t, "it ends", func() bool { kept, gone := p.ended(); return kept || gone })
			rec := f.record()
			kept, _ := p.ended()
			if kept != r.kept || (rec.Result == "voice") != r.kept || (rec.Message != "") != r.kept || rec.Why != "closed" || !rec.Answered.IsZero() {
				t.Fatalf("kept %v, record %+v", kept, rec)
			}
			if asked.From != "0312345678" || asked.Queue != "Support" {
				t.Errorf("asked for %+v", asked)
			}
		})
	}
}
