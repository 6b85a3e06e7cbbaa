package media

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A page whose browser cannot do WebRTC here (a machine without any network but lo, a policy that forbids it) sends and gets
// samples by a websocket instead: 16 kHz, one channel, 16 bits, little-endian, 20 ms in a message, both ways. What comes from the
// network is put in order and made up for here, by the mixer's ear; what goes there is encoded here.

// pcm is what such a connection has in place of pion's.
type pcm struct {
	ear  ear
	wake chan struct{} // something waits in the ear
	over chan struct{} // closed when the page got another connection

	// The reader's own.
	voice writer
	next  packet // from the page
	in    [mixFrame]int16
	buf   [2 * mixFrame]byte
}

// pcmMessage is the length of a message in bytes.
const pcmMessage = 2 * mixFrame

// Ways by which a page carries sound.
const (
	wayWebRTC    = "webrtc"
	wayWebsocket = "websocket"
)

func (c *conn) way() string {
	if c.pcm != nil {
		return wayWebsocket
	}
	return wayWebRTC
}

// PCM carries the sound of a page as messages of samples (see above) until ctx ends, read or write fails, or the page gets another
// connection. Read waits for the next message; write must not block. It is the page's new connection at once.
func (e *Engine) PCM(ctx context.Context, id string, read func(context.Context) ([]byte, error), write func([]byte) error) error {
	p, err := e.page(id)
	if err != nil {
		return err
	}
	w := &pcm{wake: make(chan struct{}, 1), over: make(chan struct{}),
		next: packet{ssrc: rand.Uint32(), seq: uint16(rand.Uint32()) >> 1, ts: rand.Uint32()}}
	c := &conn{page: p, pcm: w, since: time.Now()}
	c.up.Store(true)
	c.enter() // closing waits until this one has returned
	defer c.readers.Done()
	p.turn.Lock()
	err = e.attach(p, c)
	p.turn.Unlock()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	spoken := make(chan error, 1)
	go func() {
		defer cancel()
		spoken <- c.listen(ctx, read)
	}()
	err = w.speak(ctx, write)
	cancel()
	if said := <-spoken; err == nil {
		err = said
	}
	c.up.Store(false)
	c.down.Store(time.Now().UnixNano())
	c.broken.Store(true)
	e.watch(time.Now())
	return err
}

// listen takes the page's messages to the line in focus.
func (c *conn) listen(ctx context.Context, read func(context.Context) ([]byte, error)) error {
	for {
		b, err := read(ctx)
		if err != nil {
			return err
		}
		if len(b) != pcmMessage {
			return fmt.Errorf("a message of %d bytes, want %d", len(b), pcmMessage)
		}
		c.said(b, time.Now())
	}
}

// said encodes one message of the page as the call wants it.
func (c *conn) said(b []byte, now time.Time) {
	w, kind := c.pcm, c.page.e.spokenByPage()
	for i := range w.in {
		w.in[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	w.next.payload = w.voice.write(w.buf[:0], kind, w.in[:])
	w.next.seq, w.next.ts = w.next.seq+1, w.next.ts+kind.frame()
	c.take(kind, w.next, now)
}

// spokenByPage is the codec that the page's voice is wanted in: the conference's, the line's, or the best we have. Opus we cannot
// speak: such a line says nothing until it is offered another codec (MixOffer).
func (e *Engine) spokenByPage() codec {
	if m := e.mixer.Load(); m != nil && m.withPage.Load() {
		if c := codec(m.codec.Load()); c.mixable() {
			return c
		}
		return g722
	}
	if l := e.focus.Load(); l != nil {
		if r := l.route.Load(); r != nil && r.codec.mixable() {
			return r.codec
		}
	}
	return g722
}

// bySamples says that the page with the sound goes by websocket: what it says has to be encoded here.
func (e *Engine) bySamples() bool {
	owner := e.owner.Load()
	if owner == nil {
		return false
	}
	c := owner.conn.Load()
	return c != nil && c.pcm != nil
}

// codecs are those that a line may have now, best first: without Opus, if there is another one, while nobody here can speak it.
func (e *Engine) codecs() []codec {
	all := codecsNamed(e.cfg.Codecs)
	if !e.bySamples() {
		return all
	}
	if some := slices.DeleteFunc(slices.Clone(all), func(c codec) bool { return !c.mixable() }); len(some) > 0 {
		return some
	}
	return all
}

// play takes a packet for the page.
func (w *pcm) play(c codec, p packet) {
	w.ear.put(c, p)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// speak gives the page a frame every 20 ms while there is something to hear.
func (w *pcm) speak(ctx context.Context, write func([]byte) error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.over:
			return nil
		case <-w.wake:
		}
		if err := w.pace(ctx, write); err != nil {
			return err
		}
	}
}

// pcmRest is how many frames without sound end the pacing until a packet comes.
const pcmRest = 50

func (w *pcm) pace(ctx context.Context, write func([]byte) error) error {
	const frame = frameTime * time.Millisecond
	ticker := time.NewTicker(paceEvery)
	defer ticker.Stop()
	var pcm [mixFrame]int16
	due := time.Now()
	for still := 0; still < pcmRest; {
		select {
		case <-ctx.Done():
			return nil
		case <-w.over:
			return nil
		case now := <-ticker.C:
			if now.Sub(due) > 5*frame {
				due = now // we were asleep: no burst
			}
			for ; !due.After(now); due = due.Add(frame) {
				if still++; !w.ear.take(pcm[:]) {
					continue
				}
				still = 0
				b := make([]byte, 0, pcmMessage) // the writer keeps it
				for _, v := range pcm {
					b = binary.LittleEndian.AppendUint16(b, uint16(v))
				}
				if err := write(b); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
