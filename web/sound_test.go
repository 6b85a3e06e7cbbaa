package web

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"zaseki/web/socket"
)

// heard waits for what the sound engine was asked.
func (r *rig) heard(t *testing.T, what string) {
	t.Helper()
	for {
		select {
		case got := <-r.voice.calls:
			if got == what {
				return
			}
		case <-soon(t).Done():
			t.Fatalf("the sound engine was never asked: %s", what)
		}
	}
}

func TestAPageAsksForTheNetworkAndTellsWhatItMeasured(t *testing.T) {
	r := start(t)
	head := map[string]string{"Origin": r.own, "Content-Type": "application/json"}
	for body, want := range map[string]string{`"network":true`: "v=0 by network", `"network":false`: "v=0\"}"} {
		resp := r.do(t, "POST", "/media/offer", `{"page":"page-0001","sdp":"v=0",`+body+`}`, head, true)
		b, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: answered %s, %v", body, b, err)
		}
	}
	c := r.page(t, "page-0001")
	says(t, c, "sound.stats", `{"concealed":1.5,"buffer":30,"playout":20,"level":0.25}`)
	r.heard(t, "stats page-0001 {1.5 30 20 0.25}")
	for len(r.posted) > 0 {
		if m := <-r.posted; m.Type() == "sound.stats" {
			t.Error("the agent was told too")
		}
	}
}

func TestSamplesComeAndGoForAPageThatIsOpen(t *testing.T) {
	r := start(t)
	own := http.Header{"Origin": {r.own}, "Cookie": {r.jar.Name + "=" + r.jar.Value}}
	open := func(path string, head http.Header) (*socket.Conn, int) {
		c, err := socket.Dial(soon(t), "ws://"+r.Addr()+path, head, socket.Options{Raw: socket.Binary})
		var refused *socket.Refused
		if errors.As(err, &refused) {
			return nil, refused.Status
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(socket.Normal, "") })
		return c, 0
	}
	if _, status := open("/media/pcm?page=page-0001", own); status != http.StatusNotFound {
		t.Errorf("a page that is not open: %d", status)
	}
	r.page(t, "page-0001")
	for _, row := range []struct {
		name, path string
		head       http.Header
		status     int
	}{
		{"no session", "/media/pcm?page=page-0001", http.Header{"Origin": {r.own}}, http.StatusUnauthorized},
		{"a foreign page", "/media/pcm?page=page-0001", http.Header{"Origin": {"http://evil.example"}, "Cookie": own["Cookie"]}, http.StatusForbidden},
		{"no page", "/media/pcm", own, http.StatusBadRequest},
	} {
		if _, status := open(row.path, row.head); status != row.status {
			t.Errorf("%s: %d, want %d", row.name, status, row.status)
		}
	}
	c, _ := open("/media/pcm?page=page-0001", own)
	r.heard(t, "pcm page-0001")
	if err := c.PushRaw([]byte("twenty milliseconds")); err != nil {
		t.Fatal(err)
	}
	if b, err := c.ReadRaw(soon(t)); err != nil || string(b) != "twenty milliseconds" {
		t.Errorf("%q, %v came back", b, err)
	}
	if err := c.PushRaw(make([]byte, pcmLimit+1)); err != nil {
		t.Fatal(err)
	}
	_, err := c.ReadRaw(soon(t))
	var closed *socket.Closed
	if !errors.As(err, &closed) || closed.Code != socket.TooBig {
		t.Errorf("a message that is too long ends with %v", err)
	}
}
