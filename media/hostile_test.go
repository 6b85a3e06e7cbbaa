package media

import (
	"context"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"
)

// TestPagePortOutlivesHostilePackets throws malformed STUN, DTLS, RTP and RTCP at every port that the page leg opens while
// a page connects: pion v3 is not maintained any more, so what reaches it must not end the phone.
func TestPagePortOutlivesHostilePackets(t *testing.T) {
	e := still(t)
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	answer, err := e.Offer(context.Background(), "a", pc.LocalDescription().SDP, false)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(answer, "telephone-event") || !strings.Contains(answer, "tcptype passive") {
		t.Errorf("answer:\n%s", answer)
	}
	attack(t, answer)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the page connects all the same", func() bool {
		c := e.pages["a"].conn.Load()
		return c != nil && c.up.Load()
	})
	attack(t, answer)
	if c := e.pages["a"].conn.Load(); !c.up.Load() {
		t.Error("hostile packets broke the connection")
	}
}

// attack sends every port of the answer packets that begin as STUN, DTLS or RTP do and go on wrongly.
func attack(t *testing.T, answer string) {
	t.Helper()
	dice := rand.New(rand.NewPCG(4, 7))
	seeds := [][]byte{
		{0x01, 0x01, 0, 4, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0x20, 0, 0}, // XOR-MAPPED-ADDRESS of no length
		{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 38, 0xfe, 0xfd}, // ClientHello
		{20, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1}, {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40},
		{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, {0xbf, 0x80, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0xff, 0xff, 0xff},
		{0x80, 200, 0, 6, 0, 0, 0, 1}, {0x9f, 205, 0xff, 0xff}, {}, {0},
	}
	for line := range strings.Lines(answer) {
		f := strings.Fields(line)
		if len(f) < 8 || !strings.HasPrefix(f[0], "a=candidate:") {
			continue
		}
		conn, err := net.DialTimeout(strings.ToLower(f[2]), net.JoinHostPort(f[4], f[5]), time.Second)
		if err != nil {
			continue // nothing listens there: as good
		}
		for _, seed := range seeds {
			for range 40 {
				b := append([]byte(nil), seed...)
				for range dice.IntN(30) {
					b = append(b, byte(dice.Uint32()))
				}
				for range dice.IntN(3) {
					if len(b) > 2 {
						b[2+dice.IntN(len(b)-2)] = byte(dice.Uint32())
					}
				}
				_, _ = conn.Write(b)
			}
		}
		_ = conn.Close()
	}
}
