package media

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// talker is somebody in a conference who sends one tone without end: a line's far end, or the page.
type talker struct {
	dumb bool // it sends nothing
	name string
	hz   float64
	c    codec
	l    *line // nil: the page
	peer *peer

	said   int // samples so far
	seq    uint16
	made   [][]byte // with Opus: a second of the tone
	speech []int16  // said in place of the tone, again and again; nil: none
	write  writer
	read   reader
	heard  []int16 // at 16 kHz
	got    uint32  // packets
	last   packet  // received last
	idle   time.Duration
	seams  int
}

// frame is the talker's next packet.
func (k *talker) frame() packet {
	if k.c == opus {
		k.seq++
		return packet{pt: specs[opus].pt, seq: k.seq, ts: uint32(k.seq) * 960, ssrc: 77, payload: k.made[int(k.seq)%len(k.made)]}
	}
	pcm := make([]int16, mixFrame)
	for i := range pcm {
		pcm[i] = int16(math.Round(6000 * math.Sin(2*math.Pi*k.hz*float64(k.said+i)/mixRate)))
	}
	if len(k.speech) > 0 {
		at := int(k.seq) * mixFrame % (len(k.speech) / mixFrame * mixFrame)
		copy(pcm, k.speech[at:])
	}
	k.said = (k.said + mixFrame) % mixRate // all tones are whole numbers of Hz
	k.seq++
	return packet{pt: specs[k.c].pt, seq: k.seq, ts: uint32(k.seq) * 160, ssrc: 77, payload: k.write.write(nil, k.c, pcm)}
}

// listen takes what was sent to the talker.
func (k *talker) listen(c codec, p packet) {
	if k.last.payload != nil && (p.seq != k.last.seq+1 || p.ssrc != k.last.ssrc || int32(p.ts-k.last.ts) < int32(min(len(k.last.payload), 160))) {
		k.seams++
	}
	k.last = p
	if !c.readable() {
		return
	}
	k.heard = k.read.read(k.heard, c, p.payload)
}

// party is an engine with a page and lines whose clock the test turns.
type party struct {
	t     testing.TB
	e     *Engine
	conn  *conn
	page  *talker
	lines []*talker
	now   time.Time
}

// WriteRTP is where pion would take over: what the page hears.
func (p *party) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	kind := p.conn.kinds.Load()[h.PayloadType]
	p.page.listen(kind, packet{seq: h.SequenceNumber, ts: h.Timestamp, ssrc: h.SSRC, payload: slices.Clone(payload)})
	return 0, nil
}

func (p *party) Write([]byte) (int, error) { return 0, nil }

// newParty has a line for each of these codecs, named a, b, c…, and no conference yet.
func newParty(t testing.TB, kinds ...codec) *party {
	t.Helper()
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.shut)
	p := &party{t: t, e: e, now: time.Now(), page: &talker{name: "page", hz: 400, c: pcmu}}
	owner := &page{e: e, id: "page", watchers: map[chan Order]struct{}{}}
	p.conn = &conn{page: owner, track: newTrack()}
	p.conn.learn([]format{{9, "G722", 8000}, {0, "PCMU", 8000}, {8, "PCMA", 8000}, {111, "opus", 48000}})
	p.conn.track.change(func(o *outlet) { o.w = p })
	owner.conn.Store(p.conn)
	e.owner.Store(owner)
	for i, c := range kinds {
		p.add(string(rune('a'+i)), c)
	}
	return p
}

// end closes everything before the test itself ends.
func (p *party) end() {
	p.e.shut()
	for _, k := range p.lines {
		_ = k.peer.conn.Close()
	}
}

// add is one more line; the tones lie on whole frames, 200 Hz apart.
func (p *party) add(name string, c codec) *talker {
	p.t.Helper()
	k := &talker{name: name, hz: 600 + 200*float64(len(p.lines)), c: c, peer: newPeer(p.t, "127.0.0.1:0")}
	if _, err := p.e.AnswerLine(name, local, k.sdp("sendrecv"), Security{}); err != nil {
		p.t.Fatal(err)
	}
	k.l = p.e.lines[name]
	if c == opus {
		k.made = opusTone(p.t, k.hz)
	}
	p.lines = append(p.lines, k)
	return k
}

// opusTone is a second of a tone of 6000, by libopus.
func opusTone(t testing.TB, hz float64) [][]byte {
	t.Helper()
	ogg, err := os.ReadFile(fmt.Sprintf("testdata/tone-%.0f.opus", hz))
	if err != nil {
		t.Fatal(err)
	}
	return opusPackets(t, ogg)[45:95]
}

func (k *talker) sdp(dir string) string {
	return lines(fmt.Sprintf("m=audio %d RTP/AVP %d", k.peer.addr().Port(), specs[k.c].pt), "a=rtpmap:111 opus/48000/2", "a="+dir)
}

// pass lets everybody talk for that many frames.
func (p *party) pass(frames int) {
	p.t.Helper()
	b := make([]byte, rtpHeader+maxPayload)
	for range frames {
		p.now = p.now.Add(20 * time.Millisecond)
		for _, k := range p.lines {
			if p.e.lines[k.name] == k.l && !k.dumb {
				k.l.receive(b[:k.frame().put(b)], k.peer.addr(), p.now)
			}
		}
		p.page.c = codecNamed(p.e.likely.String(), specs[p.e.likely].clock)
		if (p.page.c.mixable() || p.page.made != nil) && !p.page.dumb {
			p.conn.take(p.page.c, p.page.frame(), p.now)
		}
		if m := p.e.mixer.Load(); m != nil {
			m.tick(p.now)
		}
		if b := p.e.beside.Load(); b != nil {
			b.tick(p.now)
		}
		for _, k := range p.lines {
			if p.e.lines[k.name] != k.l {
				continue
			}
			k.l.tick(p.now)
			for sent := k.l.out.packets; k.got < sent; k.got++ {
				pk, ok := k.peer.next(time.Second)
				if !ok {
					p.t.Fatalf("%s: a packet was lost on loopback", k.name)
				}
				k.listen(codecOf(pk.pt), pk)
			}
		}
	}
}

func codecOf(pt uint8) codec {
	for c := opus; c < codecs; c++ {
		if specs[c].pt == pt {
			return c
		}
	}
	return noCodec
}

// all are the lines and the page.
func (p *party) all() []*talker { return append(slices.Clone(p.lines), p.page) }

// ears forgets what was heard, lets time pass, and says how loud each hears each, in dB of what was said.
func (p *party) ears(frames int) map[string]float64 {
	p.t.Helper()
	for _, k := range p.all() {
		k.heard = nil
	}
	p.pass(frames)
	levels := map[string]float64{}
	for _, to := range p.all() {
		for _, from := range p.all() {
			level := -100.0
			if len(to.heard) > 0 {
				level = decibels(strength(to.heard, from.hz, mixRate), 6000)
			}
			levels[to.name+"<"+from.name] = level
		}
	}
	return levels
}

// check holds levels against a list of who is heard, such as "a<b a<page"; all else must be 30 dB down.
func (p *party) check(when, heard string, levels map[string]float64) {
	p.t.Helper()
	for pair, level := range levels {
		if slices.Contains(strings.Fields(heard), pair) {
			if level < -2 || level > 1 {
				p.t.Errorf("%s: %s at %.1f dB", when, pair, level)
			}
		} else if level > -30 {
			p.t.Errorf("%s: %s is heard at %.1f dB", when, pair, level)
		}
	}
}

// BenchmarkMixSecond is a second of a conference: 50 frames in from and out to everybody, sockets included.
func BenchmarkMixSecond(b *testing.B) {
	for _, row := range []struct {
		name  string
		kinds []codec
	}{
		{"3 parties, PCMU", []codec{pcmu, pcmu}}, {"3 parties, G722", []codec{g722, g722}},
		{"10 parties, mixed", []codec{g722, pcmu, pcma, g722, pcmu, pcma, g722, pcmu, pcma}},
	} {
		b.Run(row.name, func(b *testing.B) {
			p := newParty(b, row.kinds...)
			defer p.end()
			names := []string{}
			for _, k := range p.lines {
				names = append(names, k.name)
			}
			p.e.Mix(names...)
			m := p.e.mixer.Load()
			p.conn.track.change(func(o *outlet) { o.w = &written{} })
			frame := p.page.frame().payload
			b.ReportAllocs()
			for seq := uint16(0); b.Loop(); {
				for range 50 {
					seq++
					p.now = p.now.Add(20 * time.Millisecond)
					for _, k := range p.lines {
						k.l.part.Load().ear.put(k.c, packet{seq: seq, ssrc: 1, payload: frame})
					}
					m.page.put(pcmu, packet{seq: seq, ssrc: 1, payload: frame})
					m.tick(p.now)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10000, "%core")
		})
	}
}

// Computes skips under the race detector what a single goroutine computes, for which that needs ten times as long and finds nothing.
func Computes(t *testing.T) {
	t.Helper()
	if racing {
		t.Skip("one goroutine computes: without the race detector")
	}
}

// Long skips what takes seconds of the wall's time with -short, but for the race detector, which runs the short tests alone.
func Long(t *testing.T) {
	t.Helper()
	if testing.Short() && !racing {
		t.Skip("takes seconds: not with -short")
	}
}
