package media_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/media/ng"
)

// gateway is a real rtpengine between our line with DTLS and ICE and one that speaks plain RTP, as a WebRTC gateway's media.
type gateway struct {
	t         *testing.T
	server    *ng.Server
	near, far *media.Engine
	told      *events
	ears      [2]ear // what is heard near and far
	said      [2][]int16
}

// apart is the same gateway for a test of its own, which goes on beside the others: they wait for sound, and cost no more than calls.
func (g *gateway) apart(t *testing.T) *gateway {
	t.Parallel()
	return &gateway{t: t, server: g.server, near: g.near, far: g.far, told: g.told, said: g.said}
}

// log keeps what a program says.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	need(t, "rtpengine")
	g := &gateway{t: t}
	g.near, g.told = engine(t, media.Config{Codecs: []string{"PCMU"}})
	g.far, _ = engine(t, media.Config{Codecs: []string{"PCMU"}})
	g.said[0], _ = speech(t, "en", agentText)
	g.said[1], _ = speech(t, "en+f3", customerText)
	var said log
	var err error
	if g.server, err = ng.Start(context.Background(), "127.0.0.1", &said); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	t.Cleanup(func() {
		g.server.Close()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	return g
}

// side is what rtpengine does on our side of the call.
type side struct {
	lite bool
	dtls string
}

// ours are its options for what goes to us, theirs for what goes to the other line. Whether it is lite is said where it begins.
func (s side) ours() ng.Options {
	o := ng.Options{"ICE": "force", "transport-protocol": "UDP/TLS/RTP/SAVPF", "rtcp-mux": []string{"offer"}}
	if s.lite {
		o["ICE-lite"] = "forward"
	}
	if s.dtls != "" {
		o["DTLS"] = s.dtls
	}
	return o
}

func (s side) theirs() ng.Options {
	o := ng.Options{"ICE": "remove", "transport-protocol": "RTP/AVP", "rtcp-mux": []string{"demux"}, "DTLS": "off", "SDES": []string{"off"}}
	if s.lite {
		o["ICE-lite"] = "backward"
	}
	return o
}

// TestICEWithoutDTLS: a gateway asks for ICE whatever the sound is locked with, and with RTCP on a port of its own both ports
// are checked: no report of the other side comes before.
func TestICEWithoutDTLS(t *testing.T) {
	t.Parallel()
	all := newGateway(t)
	for proto, sec := range map[string]media.Security{"RTP/AVP": {}, "RTP/SAVP": {Policy: media.PolicyRequired, Keys: true}} {
		t.Run(proto, func(t *testing.T) {
			g := all.apart(t)
			id := "call " + proto
			offer, err := g.far.OpenLine(id, loopback, media.Security{})
			g.must(err)
			offer, err = g.server.Offer(context.Background(), id, "far", offer, ng.Options{"ICE": "force", "transport-protocol": proto, "rtcp-mux": []string{"demux"}, "DTLS": "off"})
			g.must(err)
			answer, err := g.near.AnswerLine(id, loopback, offer, sec)
			g.must(err)
			if strings.Count(answer, "a=candidate:") != 2 || strings.Contains(answer, "a=rtcp-mux") {
				t.Errorf("answer:\n%s", answer)
			}
			answer, err = g.server.Answer(context.Background(), id, "far", "near", answer, side{}.theirs())
			g.must(err)
			g.must(g.far.SetAnswer(id, answer))
			defer g.end(id)
			g.speak(id)
			same(t, "we hear", g.said[1], alike, g.ears[0].during)
			same(t, "they hear", g.said[0], alike, g.ears[1].during)
			// Each side reports every five seconds, and knows the way's length when a report of its own was reported.
			until(t, "reports both ways", 30*time.Second, func() bool { return g.near.Stats(id).RTT > 0 && g.far.Stats(id).RTT > 0 })
		})
	}
}

// begin lets us call or be called through the gateway, and both sides speak.
func (g *gateway) begin(weCall bool, s side) (id string) {
	g.t.Helper()
	id = g.t.Name()
	dtls := media.Security{Policy: media.PolicyDTLS}
	if weCall {
		offer, err := g.near.OpenLine(id, loopback, dtls)
		g.must(err)
		g.offer(id, offer, s)
	} else {
		offer, err := g.far.OpenLine(id, loopback, media.Security{})
		g.must(err)
		offer, err = g.server.Offer(context.Background(), id, "far", offer, s.ours())
		g.must(err)
		if strings.Contains(offer, "a=ice-lite") != s.lite {
			g.t.Errorf("not what was asked for:\n%s", offer)
		}
		answer, err := g.near.AnswerLine(id, loopback, offer, dtls)
		if err != nil {
			g.t.Fatalf("%v\n%s", err, offer)
		}
		answer, err = g.server.Answer(context.Background(), id, "far", "near", answer, s.theirs())
		g.must(err)
		g.must(g.far.SetAnswer(id, answer))
	}
	g.speak(id)
	return id
}

func (g *gateway) speak(id string) {
	for i, e := range []*media.Engine{g.near, g.far} {
		e.Listen(id, g.ears[i].hear)
		e.Play(id, &voice{pcm: g.said[i]})
	}
}

// offer carries an offer of ours through the gateway, and the answer back.
func (g *gateway) offer(id, offer string, s side) {
	g.t.Helper()
	through, err := g.server.Offer(context.Background(), id, "near", offer, s.theirs())
	g.must(err)
	answer, err := g.far.Reanswer(id, through)
	if err != nil {
		answer, err = g.far.AnswerLine(id, loopback, through, media.Security{})
	}
	if err != nil {
		g.t.Fatalf("%v\n%s\nmade of\n%s", err, through, offer)
	}
	answer, err = g.server.Answer(context.Background(), id, "near", "far", answer, s.ours())
	g.must(err)
	if strings.Contains(answer, "a=ice-lite") != s.lite {
		g.t.Errorf("not what was asked for:\n%s", answer)
	}
	if err := g.near.SetAnswer(id, answer); err != nil {
		g.t.Fatalf("%v\n%s", err, answer)
	}
}

func (g *gateway) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// hears says that each side hears the other's speech.
func (g *gateway) hears(when, id string) {
	g.t.Helper()
	until(g.t, when+": encrypted", 10*time.Second, func() bool { return g.near.Stats(id).Secure != "" })
	same(g.t, when+", we hear", g.said[1], alike, g.ears[0].during)
	same(g.t, when+", they hear", g.said[0], alike, g.ears[1].during)
	if st := g.near.Stats(id); st.Bad != 0 || !strings.HasPrefix(st.Secure, "DTLS") {
		g.t.Errorf("%s: %+v", when, st)
	}
}

func (g *gateway) end(id string) {
	g.near.CloseLine(id)
	g.far.CloseLine(id)
	_ = g.server.Delete(context.Background(), id, "near")
}

func TestSpeechThroughAGatewayOfTheWeb(t *testing.T) {
	t.Parallel()
	all := newGateway(t)
	for _, weCall := range []bool{true, false} {
		for _, s := range []side{{}, {dtls: "passive"}, {lite: true}} {
			t.Run(fmt.Sprintf("we call %v, %+v", weCall, s), func(t *testing.T) {
				g := all.apart(t)
				id := g.begin(weCall, s)
				defer g.end(id)
				g.hears("at first", id)
			})
		}
	}
}

// TestHoldAndRestartThroughAGateway: hold keeps the way and the keys; another address of ours is another way to the same keys.
func TestHoldAndRestartThroughAGateway(t *testing.T) {
	t.Parallel()
	all := newGateway(t)
	for _, s := range []side{{}, {lite: true}} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			g := all.apart(t)
			id := g.begin(true, s)
			defer g.end(id)
			g.hears("at first", id)
			for _, hold := range []bool{true, false} {
				offer, err := g.near.HoldOffer(id, hold)
				g.must(err)
				g.offer(id, offer, s)
			}
			g.hears("after hold", id)
			move, err := g.near.MoveOffer(id, netip.MustParseAddr("127.0.0.3"))
			g.must(err)
			g.offer(id, move, s)
			g.hears("from another address", id)
		})
	}
}

// TestAnotherGatewayTakesTheCall: the first one is killed; a re-INVITE through a second one brings the sound back.
func TestAnotherGatewayTakesTheCall(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	id := g.begin(true, side{})
	g.hears("at first", id)
	g.server.Close()
	until(t, "the silence is told", 15*time.Second, func() bool {
		return count(g.told, func(s media.LineSilent) bool { return s.Silent && s.Line == id }) > 0
	})
	second, err := ng.Start(context.Background(), "127.0.0.1", io.Discard)
	g.must(err)
	defer second.Close()
	g.server = second
	offer, err := g.near.MoveOffer(id, loopback)
	g.must(err)
	g.offer(id, offer, side{})
	g.hears("through another gateway", id)
}
