package exchange

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/sip"
)

// talker is a phone with real sound: it says a tone and hears what comes.
type talker struct {
	*phone
	engine *media.Engine
	sec    media.Security
	hz     float64

	mu    sync.Mutex
	heard []frame
}

// frame is what came in one packet.
type frame struct {
	at   time.Time
	pcm  []int16
	loud float64
}

func (f *floor) talker(user string, hz float64, sec media.Security, change ...func(*sip.Account)) *talker {
	f.t.Helper()
	k := &talker{hz: hz, sec: sec}
	var err error
	if k.engine, err = media.New(media.Config{Codecs: []string{"PCMA", "PCMU"}}); err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	go func() { done <- k.engine.Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		<-done
	})
	k.phone = f.phoneThat(user, func(e sip.Event) {
		if a, ok := e.(sip.Answered); ok && a.SDP != "" {
			if err := k.engine.SetAnswer(a.Call, a.SDP); err != nil {
				f.t.Errorf("%s: answer: %v\n%s", user, err, a.SDP)
			}
		}
	}, k.engine.Reanswer)
	f.register(k.phone, "udp", change...)
	return k
}

func here() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

func (k *talker) call(id, number string) {
	k.t.Helper()
	offer, err := k.engine.OpenLine(id, here(), k.sec)
	if err != nil {
		k.t.Fatal(err)
	}
	k.listen(id)
	if err := k.Dial(ctxFor(k.t), id, number, offer); err != nil {
		k.t.Fatal(err)
	}
}

func (k *talker) take() (id string) {
	k.t.Helper()
	in := next[sip.Incoming](k.phone)
	k.Ring(in.Call)
	answer, err := k.engine.AnswerLine(in.Call, here(), in.SDP, k.sec)
	if err != nil {
		k.t.Fatal(err)
	}
	k.listen(in.Call)
	if err := k.Answer(ctxFor(k.t), in.Call, answer); err != nil {
		k.t.Fatal(err)
	}
	return in.Call
}

func (k *talker) listen(id string) {
	if k.hz > 0 {
		k.engine.Play(id, media.Tone(k.hz, 1000, 0, 0))
	}
	k.engine.Listen(id, func(pcm []int16) {
		sum := 0.0
		for _, v := range pcm {
			sum += float64(v) * float64(v)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.heard = append(k.heard, frame{time.Now(), append([]int16(nil), pcm...), math.Sqrt(sum / float64(len(pcm)))})
	})
}

// hears is how many frames came that have the tone in them (hz 0: any sound) since then, and when the first did.
func (k *talker) hears(hz float64, since time.Time) (n int, first time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.heard {
		if f.at.Before(since) || f.loud < 100 || hz > 0 && share(f.pcm, hz) < 0.5 {
			continue
		}
		if n++; n == 1 {
			first = f.at
		}
	}
	return n, first
}

// share is how much of a frame's power is at that frequency (Goertzel).
func share(pcm []int16, hz float64) float64 {
	w := 2 * math.Pi * hz / 8000
	var re, im, all float64
	for i, v := range pcm {
		re += float64(v) * math.Cos(w*float64(i))
		im += float64(v) * math.Sin(w*float64(i))
		all += float64(v) * float64(v)
	}
	return 2 * (re*re + im*im) / (all*float64(len(pcm)) + 1)
}

func (k *talker) wantTone(hz float64, since time.Time) time.Time {
	k.t.Helper()
	comes(k.t, k.user+" hears it", func() bool {
		n, _ := k.hears(hz, since)
		return n >= 10
	})
	_, first := k.hears(hz, since)
	return first
}

func TestAWaitingCallerHearsMusicAndThenTheAgent(t *testing.T) {
	t.Parallel()
	plain := media.Security{}
	keys := media.Security{Policy: media.PolicyRequired, Keys: true}
	for name, r := range map[string]struct {
		caller, agent string
		sec           media.Security
	}{
		"plain":     {"trunk", "1001", plain},
		"with keys": {"2001", "2002", keys},
	} {
		t.Run(name, func(t *testing.T) {
			f, byTLS := secureFloor(t)
			if !r.sec.Keys {
				byTLS = func(*sip.Account) {}
			}
			f.be(QueueState{Music: true, Place: true, Language: "en"})
			agent := f.talker(r.agent, 440, r.sec, byTLS)
			customer := f.talker(r.caller, 620, r.sec, byTLS)
			began := time.Now()
			customer.call("c1", "7000")
			next[sip.Answered](customer.phone)
			customer.wantTone(0, began)
			if n, _ := customer.hears(440, began); n > 5 {
				t.Fatal("the music sounds like the agent")
			}
			f.available(r.agent)
			call := agent.take()
			taken := time.Now()
			if gap := customer.wantTone(440, taken).Sub(taken); gap > 500*time.Millisecond { // reliability H7
				t.Errorf("the agent is heard after %v", gap)
			}
			agent.wantTone(620, taken)
			agent.Hangup(ctxFor(t), call)
			next[sip.Ended](customer.phone)
			if rec := f.record(); rec.Result != "answered" || rec.Account != r.agent || len(rec.Offers) != 1 || rec.Answered.Before(taken.Add(-time.Second)) {
				t.Fatalf("record %+v", rec)
			}
		})
	}
}

func TestACallerWhoHearsMusicGivesUpOrWaitsInVain(t *testing.T) {
	t.Parallel()
	f := newFloor(t, func(c *Config) { c.Wait = 2 * time.Second })
	f.be(QueueState{Music: true})
	customer := f.talker("trunk", 0, media.Security{})
	customer.call("c1", "7000")
	next[sip.Answered](customer.phone)
	customer.wantTone(0, time.Time{})
	customer.Hangup(ctxFor(t), "c1")
	if r := f.record(); r.Result != "cancelled" || !r.Answered.IsZero() {
		t.Fatalf("record %+v", r)
	}
	customer.call("c2", "7000")
	next[sip.Answered](customer.phone)
	if e := next[sip.Ended](customer.phone); e.Call != "c2" || !e.ByPeer {
		t.Fatalf("the caller hears %+v", e)
	}
	if r := f.record(); r.Result != "missed" || r.Why != "late" {
		t.Fatalf("record %+v", r)
	}
}

// TestWhoCannotHearMusicHearsRinging: a codec we do not speak, keys that would be read, an offer that comes later.
func TestWhoCannotHearMusicHearsRinging(t *testing.T) {
	const (
		opus  = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n"
		saved = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n"
	)
	for name, sdp := range map[string]string{"opus": opus, "keys in the clear": saved, "no offer": ""} {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, nil)
			f.be(QueueState{Music: true})
			customer := f.phone("trunk", "udp")
			customer.Dial(ctxFor(t), "c1", "7000", sdp)
			if p := next[sip.Progress](customer); p.Code != 182 {
				t.Fatalf("%+v", p)
			}
			customer.Hangup(ctxFor(t), "c1")
			if r := f.record(); r.Result != "cancelled" {
				t.Fatalf("record %+v", r)
			}
		})
	}
}

func TestACallerHoldsWhileItWaits(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	f.be(QueueState{Music: true})
	agent := f.talker("1001", 440, media.Security{})
	customer := f.talker("trunk", 0, media.Security{})
	customer.call("c1", "7000")
	next[sip.Answered](customer.phone)
	customer.wantTone(0, time.Time{})
	for _, hold := range []bool{true, false} {
		offer, err := customer.engine.HoldOffer("c1", hold)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := customer.Reinvite(ctxFor(t), "c1", offer)
		if err != nil {
			t.Fatal(err)
		}
		if err := customer.engine.SetAnswer("c1", answer); err != nil {
			t.Fatal(err)
		}
	}
	customer.wantTone(0, time.Now())
	f.available("1001")
	agent.take()
	customer.wantTone(440, time.Now())
}

// TestWhoIsSentToAQueueHearsMusicWhenTheAgentHasLeft: nobody holds a conversation with silence.
func TestWhoIsSentToAQueueHearsMusicWhenTheAgentHasLeft(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	agent, other := f.talker("1001", 440, media.Security{}), f.talker("1002", 880, media.Security{})
	customer := f.talker("trunk", 620, media.Security{})
	customer.call("c1", "1001")
	call := agent.take()
	customer.wantTone(440, time.Time{})
	go agent.Transfer(ctxFor(t), call, "7000")
	comes(t, "the customer waits", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.waiting) == 1
	})
	agent.Hangup(ctxFor(t), call)
	left := time.Now()
	agent.engine.CloseLine(call)
	comes(t, "it hears music", func() bool {
		n, _ := customer.hears(0, left)
		tone, _ := customer.hears(440, left)
		return n-tone >= 25
	})
	f.available("1002")
	there := other.take()
	taken := time.Now()
	customer.wantTone(880, taken)
	other.wantTone(620, taken)
	other.Hangup(ctxFor(t), there)
	if r := f.record(); r.Result != "answered" || r.TransferredBy != "1001" || r.Account != "1002" {
		t.Fatalf("record %+v", r)
	}
}
