package ng

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

func TestARealRtpengineRewritesAnOffer(t *testing.T) {
	if _, err := exec.LookPath("rtpengine"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("rtpengine is not installed")
	}
	ctx := context.Background()
	var log bytes.Buffer
	s, err := Start(ctx, "127.0.0.1", &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	defer s.Close()
	const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	offer, err := s.Offer(ctx, "call", "a", sdp, Options{"ICE": "force", "transport-protocol": "UDP/TLS/RTP/SAVPF", "rtcp-mux": []string{"require"}})
	if err != nil || !strings.Contains(offer, "a=fingerprint:") || !strings.Contains(offer, "a=ice-ufrag:") {
		t.Fatalf("%v\n%s", err, offer)
	}
	if _, err := s.Answer(ctx, "call", "a", "b", sdp, nil); err != nil {
		t.Error(err)
	}
	if err := s.Delete(ctx, "call", "a"); err != nil {
		t.Error(err)
	}
	if _, err := s.Answer(ctx, "none", "a", "b", sdp, nil); err == nil {
		t.Error("an answer to nothing was taken")
	}
}

func TestWhatWeWriteIsReadAgain(t *testing.T) {
	b, err := encode(nil, Options{"a": "x:y", "b": 7, "c": []string{"d", ""}, "e": map[string]any{}})
	if err != nil || string(b) != "d1:a3:x:y1:bi7e1:cl1:d0:e1:edee" {
		t.Fatalf("%s %v", b, err)
	}
	v, rest, err := decode(b, 0)
	want := map[string]any{"a": "x:y", "b": 7, "c": []any{"d", ""}, "e": map[string]any{}}
	if err != nil || len(rest) > 0 || !reflect.DeepEqual(v, want) {
		t.Errorf("%v %q %v", v, rest, err)
	}
	if _, err := encode(nil, 1.5); err == nil {
		t.Error("a fraction was written")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("d1:a3:x:y1:bi7e1:cl1:d0:e1:edee"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _, _ = decode(b, 0) })
}
