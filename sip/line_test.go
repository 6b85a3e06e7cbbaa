package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

func TestTimelinesAreKeptWithinBounds(t *testing.T) {
	var kept traces
	message := func(call, method string, size int) {
		kept.keep(Message{CallID: call, Method: method, Title: method, Text: strings.Repeat("x", size)})
	}
	message("register", "REGISTER", 10)
	message("stray", "BYE", 10)
	for i := range tracedCalls + 5 {
		message(fmt.Sprint(i), "INVITE", 10)
	}
	for gone, want := range map[string]int{"register": 0, "stray": 0, "4": 0, "5": 1, fmt.Sprint(tracedCalls + 4): 1} {
		if got := len(kept.of(gone)); got != want {
			t.Errorf("%s: %d messages", gone, got)
		}
	}
	message("long", "INVITE", 1)
	for i := range 2 * tracedMessages {
		kept.keep(Message{CallID: "long", Method: "INFO", Title: fmt.Sprint(i)})
	}
	long := kept.of("long")
	if len(long) != tracedMessages || long[0].Method != "INVITE" || long[len(long)-1].Title != fmt.Sprint(2*tracedMessages-1) {
		t.Errorf("%d messages, first %s, last %s", len(long), long[0].Method, long[len(long)-1].Title)
	}
	for i := range 10 {
		message(fmt.Sprint("big", i), "INVITE", 1<<20)
	}
	if kept.bytes > tracedBytes || len(kept.of("big9")) != 1 || len(kept.of("big0")) != 0 {
		t.Errorf("%d bytes", kept.bytes)
	}
}

func TestPausesGrowAndJitter(t *testing.T) {
	l := &line{}
	for _, row := range []struct {
		out      time.Duration
		err      error
		failures int
		from, to time.Duration
	}{
		{0, fmt.Errorf("refused"), 1, 125 * time.Millisecond, 250 * time.Millisecond},
		{time.Minute, fmt.Errorf("refused"), 9, 3 * time.Second, 6100 * time.Millisecond},
		{time.Hour, fmt.Errorf("refused"), 99, 15 * time.Second, 30 * time.Second},
		{0, Refused{Code: 500}, 1, time.Second, 2 * time.Second},
		{0, Refused{Code: 500}, 40, 30 * time.Second, time.Minute},
		{0, fmt.Errorf("x: %w", later{Refused{Code: 503}, 20 * time.Second}), 1, 20 * time.Second, 21 * time.Second},
	} {
		l.outSince = time.Now().Add(-row.out)
		for range 50 {
			if got := l.pause(row.err, row.failures); got < row.from || got > row.to {
				t.Errorf("%v after %v, %d failures: %v", row.err, row.out, row.failures, got)
			}
		}
	}
}

func TestCertificatesAreForTheNamedHostOrTheDomain(t *testing.T) {
	for _, row := range []struct{ domain, host, want string }{
		{"example.test", "example.test", "example.test"},
		{"example.test", "sip.example.test", "sip.example.test example.test"},
		{"example.test", "192.0.2.1", "example.test 192.0.2.1"},
		{"example.test:5070", "Example.test", "example.test"},
	} {
		a := Account{Domain: row.domain}
		if got := strings.Join(a.names(row.host), " "); got != row.want {
			t.Errorf("%s at %s: %s", row.domain, row.host, got)
		}
	}
}

func TestAccountsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Account){
		"transport":           func(a *Account) { a.Transport = "sctp" },
		"a line end":          func(a *Account) { a.Server = "h\r\nVia: x" },
		"a web page":          func(a *Account) { a.Server = "https://h" },
		"an open websocket":   func(a *Account) { a.Server = "ws://h" },
		"a websocket by udp":  func(a *Account) { a.Server, a.Transport = "wss://h", "udp" },
		"user in a websocket": func(a *Account) { a.Server = "wss://u:p@h" },
		"no domain":           func(a *Account) { a.Domain = "" },
	} {
		a := Account{User: "u", Domain: "example.test", Password: word("p")}
		change(&a)
		err := a.check()
		if err == nil {
			_, _, err = a.at()
		}
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	a := Account{User: "u", Domain: "example.test", Password: word("p"), Server: "WSS://h:8089/ws"}
	if err := a.check(); err != nil || a.Transport != "wss" {
		t.Fatal(err, a.Transport)
	}
	if server, at, err := a.at(); err != nil || server != "h:8089" || at.Path != "/ws" {
		t.Error(server, at, err)
	}
}

type word string

func (w word) Reveal() string { return string(w) }

// FuzzRegistered: whatever a registrar answers, what we keep of it can stand in our headers.
func FuzzRegistered(f *testing.F) {
	f.Add(`<sip:u@127.0.0.1:1>;expires=60;pub-gruu="sip:u@h;gr=1"`, "<sip:edge;lr>, <sip:core;lr>", "30")
	f.Add(`<sip:u@h>;+sip.instance="<urn:uuid:x>";pub-gruu="<sip:`, "<sips:a>;x=\"y,z\"", "4294967296")
	s := stack.New(stack.Config{})
	link, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	defer link.Close()
	peer := netip.MustParseAddrPort("127.0.0.1:5060")
	f.Fuzz(func(t *testing.T, contact, routes, number string) {
		l := &line{account: Account{User: "u", Instance: "x", GRUU: true, NAT: true, Domain: "h", Server: "h"}, link: link, server: peer}
		res := sipgo.NewResponse(200, "OK")
		for name, value := range map[string]string{"Contact": contact, "Service-Route": routes, "Expires": number, "Flow-Timer": number} {
			res.AppendHeader(sipgo.NewHeader(name, value))
		}
		l.granted(res, time.Minute)
		if l.expires <= 0 || !stack.Clean(link.ContactFor("u", peer)) || strings.Count(link.ContactFor("u", peer), "<") != 1 {
			t.Errorf("%v, %s", l.expires, link.ContactFor("u", peer))
		}
		for _, r := range l.routes() {
			if !stack.Clean(r) {
				t.Errorf("%q", r)
			}
		}
		if server, err := l.redirect([]string{contact}); err == nil && server != "h" && !strings.HasSuffix(server, ".h") && !strings.HasPrefix(server, "h:") && !strings.Contains(server, ".h:") {
			t.Errorf("sent to %q", server)
		}
	})
}
