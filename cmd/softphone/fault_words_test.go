package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"zaseki/cmd/center/roster"
	"zaseki/web/socket"
	"zaseki/web/wire"
)

// tomorrow is a way to a center on which both sides seem to be of another version: each body has a field more than the other side knows,
// and between the messages are some of kinds that it has never heard of.
type tomorrow struct {
	t        *testing.T
	to       *url.URL
	page     http.Handler
	toPhone  atomic.Int64 // strange messages
	toCenter atomic.Int64
	refused  atomic.Int64 // answers of the center to strange wishes
	links    atomic.Int64
	open     sync.WaitGroup
}

func newTomorrow(t *testing.T, center string) *tomorrow {
	to, err := url.Parse(center)
	if err != nil {
		t.Fatal(err)
	}
	w := &tomorrow{t: t, to: to}
	w.page = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, ModifyResponse: func(r *http.Response) error {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		data = strange(data)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
		r.Header.Del("Content-Length")
		return nil
	}}
	return w
}

// strange adds a field to an object.
func strange(data []byte) []byte {
	if text := strings.TrimSpace(string(data)); strings.HasPrefix(text, "{") && len(text) > 2 {
		return []byte(`{"of.tomorrow":{"deep":[1,null,"座"]},` + text[1:])
	}
	return data
}

func (w *tomorrow) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		w.page.ServeHTTP(rw, r)
		return
	}
	o := socket.Options{Subprotocols: r.Header.Values("Sec-Websocket-Protocol"), ReadLimit: 1 << 20}
	far, err := socket.Dial(r.Context(), "ws"+strings.TrimPrefix(w.to.String(), "http")+r.URL.RequestURI(), http.Header{"Authorization": r.Header.Values("Authorization")}, o)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	near, err := socket.Accept(rw, r, o)
	if err != nil {
		far.Close(socket.Normal, "")
		return
	}
	w.open.Add(1)
	defer w.open.Done()
	w.links.Add(1)
	var both sync.WaitGroup
	both.Go(func() { w.carry(near, far, &w.toCenter); far.Close(socket.GoingAway, "") })
	both.Go(func() { w.carry(far, near, &w.toPhone); near.Close(socket.GoingAway, "") })
	both.Wait()
}

// carry hands messages on, with strange ones before each.
func (w *tomorrow) carry(from, to *socket.Conn, count *atomic.Int64) {
	ctx := context.Background()
	for {
		e, err := from.Read(ctx)
		if err != nil {
			return
		}
		if strings.HasPrefix(e.Op, "strange") {
			w.refused.Add(1)
			continue
		}
		body := json.RawMessage(`{"deep":[1]}`)
		for _, odd := range []wire.Envelope{{Type: "of.tomorrow", Body: body}, {Type: "of.tomorrow", Op: "strange-1", Body: body}, {Type: "calls.seen.more"}} {
			if to.Write(ctx, odd) != nil {
				return
			}
			count.Add(1)
		}
		e.Body = strange(e.Body)
		if to.Write(ctx, e) != nil {
			return
		}
	}
}

// TestAPhoneAndACenterOfOtherVersionsWorkTogether: each hears words and fields that only another version has (reliability (E20)). Signing in,
// statuses, a call and signing out work on the one connection, and what was strange is refused, where an answer was asked for.
func TestAPhoneAndACenterOfOtherVersionsWorkTogether(t *testing.T) {
	n, _ := site(t, roster.SitePolicy{})
	way := newTomorrow(t, n.HTTP())
	server := httptest.NewServer(way)
	t.Cleanup(func() { server.Close(); way.open.Wait() })
	dir := t.TempDir()
	kept, err := openSettings(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPhone(phoneConfig{center: center{url: server.URL}, machine: "test", log: quiet, codecs: []string{"PCMU"}, kept: kept, store: store{dir, quiet}})
	if err != nil {
		t.Fatal(err)
	}
	until := running(t, p)
	p.agent.Post(wire.CheckAccount{Account: "sato", Password: demoPassword})
	s := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil })
	p.agent.Post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusBreak})
	until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" && s.Center.Online })
	for _, to := range []string{wire.StatusAvailable, wire.StatusAway, wire.StatusAvailable} {
		p.agent.Post(wire.SetStatus{To: to})
		until(to, func(s wire.Snapshot) bool { return s.Status.Now == to && s.Status.Wish == "" })
	}
	p.agent.Post(wire.Dial{Number: demoEcho})
	talking := until("talking", func(s wire.Snapshot) bool { _, ok := s.Talking(); return ok })
	p.agent.Post(wire.HangUp{Call: talking.Calls[0].ID})
	until("over", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
	p.agent.Post(wire.SignOut{})
	until("out", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseOut })
	t.Logf("%d strange words to the phone, %d to the center, which refused %d; %d connections", way.toPhone.Load(), way.toCenter.Load(), way.refused.Load(), way.links.Load())
	if way.toPhone.Load() < 9 || way.toCenter.Load() < 9 || way.refused.Load() == 0 {
		t.Error("too few strange words: nothing is proven")
	}
	if way.links.Load() != 1 {
		t.Errorf("%d connections were needed, want one", way.links.Load())
	}
}
