package media

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// samples is a page by websocket: what it says is put in, what it hears comes out.
type samples struct {
	says  chan []byte
	hears chan []byte
	ended chan error
}

// bySamples opens one and waits until it owns the sound.
func bySamples(t *testing.T, ctx context.Context, e *Engine, id string) *samples {
	t.Helper()
	s := &samples{make(chan []byte), make(chan []byte, 1000), make(chan error, 1)}
	go func() {
		s.ended <- e.PCM(ctx, id, func(ctx context.Context) ([]byte, error) {
			select {
			case b, ok := <-s.says:
				if !ok {
					return nil, errors.New("closed")
				}
				return b, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, func(b []byte) error {
			s.hears <- b
			return nil
		})
	}()
	eventually(t, "the page is there", func() bool { return e.bySamples() })
	return s
}

// toned is a message of a tone, the nth of a row.
func toned(n int) []byte {
	b := make([]byte, 0, pcmMessage)
	for i := range mixFrame {
		v := int16(math.Round(6000 * math.Sin(2*math.Pi*500*float64(n*mixFrame+i)/mixRate)))
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func TestPageBySamplesIsHeardInTheLinesCodec(t *testing.T) {
	for _, c := range []codec{pcmu, pcma, g722} {
		far := newPeer(t, "127.0.0.1:0")
		e, _, w := answered(t, far, map[codec]string{pcmu: "0", pcma: "8", g722: "9"}[c])
		ctx, cancel := context.WithCancel(t.Context())
		s := bySamples(t, ctx, e, "a")
		var heard []int16
		var read reader
		var last packet
		for n := range 50 {
			s.says <- toned(n)
			p, ok := far.next(time.Second)
			if !ok || p.pt != specs[c].pt || n > 0 && (p.seq != last.seq+1 || p.ts != last.ts+160) {
				t.Fatalf("%s: packet %d is %+v after %+v", c, n, p, last)
			}
			heard, last = read.read(heard, c, p.payload), p
		}
		if level := decibels(strength(heard[mixFrame:], 500, mixRate), 6000); level < -1 || level > 1 {
			t.Errorf("%s: heard at %.1f dB", c, level)
		}
		if !w.has(PageLive{Page: "a", Live: true, Way: "websocket"}) {
			t.Error("nobody was told by what way the page goes")
		}
		e.Mute(true)
		s.says <- toned(50)
		if p, _ := far.next(time.Second); string(p.payload) != string(c.silence(160)) {
			t.Errorf("%s: muted, and yet heard", c)
		}
		cancel()
		if err := <-s.ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		e.watch(time.Now())
		if !w.has(PageLive{Page: "a"}) {
			t.Error("nobody was told that it ended")
		}
	}
}

func TestPageBySamplesHearsTheLineInOrderAndWithoutHoles(t *testing.T) {
	synctest.Test(t, bySamplesInOrder)
}

func bySamplesInOrder(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.shut()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := bySamples(t, ctx, e, "a")
	k := &talker{hz: 400, c: pcmu}
	var swapped packet
	for n := range 60 {
		time.Sleep(20 * time.Millisecond)
		p := k.frame()
		switch {
		case n == 20: // lost
		case n == 30:
			swapped = p
		case n == 31:
			e.owner.Load().play(pcmu, p, time.Now())
			e.owner.Load().play(pcmu, swapped, time.Now())
		default:
			e.owner.Load().play(pcmu, p, time.Now())
		}
	}
	cancel()
	<-s.ended
	close(s.hears)
	var heard []int16
	for b := range s.hears {
		if len(b) != pcmMessage {
			t.Fatalf("a message of %d bytes", len(b))
		}
		for i := 0; i < len(b); i += 2 {
			heard = append(heard, int16(binary.LittleEndian.Uint16(b[i:])))
		}
	}
	if n := len(heard) / mixFrame; n < 50 {
		t.Fatalf("%d frames of 60", n)
	}
	quiet := 0
	for at := 2 * mixFrame; at+160 <= 45*mixFrame; at += 160 {
		if level := decibels(strength(heard[at:at+160], 400, mixRate), 6000); level < -6 {
			quiet++
		}
	}
	if quiet > 1 {
		t.Errorf("%d pieces of 10 ms are holes", quiet)
	}
}

func TestPageBySamplesGivesWayToItsNextConnection(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _, _ := answered(t, far, "0")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := bySamples(t, ctx, e, "a")
	second := bySamples(t, ctx, e, "a")
	if err := <-first.ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	second.says <- toned(0)
	if _, ok := far.next(time.Second); !ok {
		t.Error("the new connection is not heard")
	}
	second.says <- []byte("short")
	if err := <-second.ended; err == nil {
		t.Error("a message of the wrong length passed")
	}
}

func TestLinesLeaveOpusOutWhileThePageSendsSamples(t *testing.T) {
	e, _ := running(t, "opus", "G722")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := bySamples(t, ctx, e, "a")
	far, _ := running(t, "opus", "G722")
	if _, _, err := call(t, e, Security{}, far, Security{}); err != nil {
		t.Fatal(err)
	}
	if c := e.lines["a"].route.Load().codec; c != g722 {
		t.Errorf("the line has %s", c)
	}
	cancel()
	<-s.ended
	if got := e.codecs(); got[0] != opus {
		t.Errorf("the page is gone, and yet the next line has %v", got)
	}
}
