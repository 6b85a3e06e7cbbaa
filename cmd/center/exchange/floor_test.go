package exchange

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/icholy/digest"
	"go.uber.org/goleak"

	"zaseki/sip"
)

const (
	domain = "center.test"
	offer  = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendrecv\r\n"
	reply  = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40002 RTP/AVP 0\r\na=sendrecv\r\n"
	held   = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendonly\r\n"
	asHeld = "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40002 RTP/AVP 0\r\na=recvonly\r\n"
	long   = 10 * time.Second // longer than anything here takes
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// floor is an exchange that runs, with the people the test puts on it. It is the Desk.
type floor struct {
	t    *testing.T
	x    *Exchange
	mu   sync.Mutex
	term map[string]Terminal
	free []string // accounts Available, longest idle first; the account is its extension
	miss []string

	receipts map[string]string // of offers, by account
	permits  map[string]string // "caller called", by id

	state   QueueState
	waiting []*standing
	ring    time.Duration
	told    chan CallRecord
	stop    func() // ends the exchange
}

func newFloor(t *testing.T, change func(*Config)) *floor {
	t.Helper()
	f := &floor{t: t, term: map[string]Terminal{}, ring: long, told: make(chan CallRecord, 64), receipts: map[string]string{}, permits: map[string]string{}}
	for user, kind := range map[string]string{"1001": "softphone", "1002": "softphone", "1003": "softphone", "1005": "softphone", "1004": "desk", "trunk": "trunk",
		"2001": "softphone-encrypted", "2002": "softphone-encrypted", "2003": "softphone-encrypted"} {
		f.term[user] = Terminal{User: user, Type: kind, Account: user, Name: "Phone " + user, Epoch: 1, HA1: secretOf(user)}
	}
	cfg := Config{
		Listen: "127.0.0.1:0", Domain: func() string { return domain }, Desk: f, Log: testLog(),
		Told: func(r CallRecord) { f.told <- r },
	}
	if change != nil {
		change(&cfg)
	}
	x, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.x = x
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && err != context.Canceled {
			t.Errorf("exchange ended: %v", err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

// secretOf is the HA1 of the user's own name with "-secret".
func secretOf(user string) func(string) (string, bool) {
	return func(algorithm string) (string, bool) {
		a1 := []byte(user + ":" + domain + ":" + user + "-secret")
		switch algorithm {
		case "MD5":
			return fmt.Sprintf("%x", md5.Sum(a1)), true
		case "SHA-256":
			return fmt.Sprintf("%x", sha256.Sum256(a1)), true
		}
		return "", false
	}
}

// noise is a phone book of guesses: users that are there, and some that are not.
func noise() []string {
	return []string{"1000", "1001", "1002", "1003", "1004", "1999", "2001", "7000", "trunk"}
}

// answerTo is the answer of that user to a challenge.
func answerTo(t *testing.T, challenge, method, uri, user string) string {
	t.Helper()
	ch, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatalf("challenge %q: %v", challenge, err)
	}
	cred, err := digest.Digest(ch, digest.Options{Method: method, URI: uri, Username: user, Password: user + "-secret", Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	return cred.String()
}

func testLog() *slog.Logger {
	if os.Getenv("SIPLOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
}

func (f *floor) Terminal(user string) (Terminal, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.term[user]
	return t, ok
}

func (f *floor) Offer(_ string, tried []string) (Offer, func(), bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, account := range f.free {
		if slices.Contains(tried, account) {
			continue
		}
		f.free = slices.Delete(f.free, i, i+1)
		return Offer{Account: account, User: account, RingTime: f.ring}, func() {}, true
	}
	return Offer{}, nil, false
}

func (f *floor) Receipt(account, how string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.receipts[account] = how
}

func (f *floor) Permitted(id, caller, called string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return id != "" && f.permits[id] == caller+" "+called
}

func (f *floor) Missed(account, _ string, declined bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.miss = append(f.miss, fmt.Sprintf("%s %v", account, declined))
}

func (f *floor) Queue(extension string) (string, bool) { return "Support", extension == "7000" }

func (f *floor) available(accounts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = append(f.free, accounts...)
	f.serveLocked()
}

func (f *floor) missed() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.miss)
}

// record waits for the line of the call that ended.
func (f *floor) record() CallRecord {
	f.t.Helper()
	select {
	case r := <-f.told:
		return r
	case <-time.After(long):
		f.t.Fatal("no record of the call")
	}
	return CallRecord{}
}

type secret string

func (s secret) Reveal() string { return string(s) }

// phone is a real phone of ours, registered.
type phone struct {
	*sip.Phone
	t      *testing.T
	user   string
	events chan sip.Event
	last   string // call that connect answered
}

func (f *floor) phone(user, transport string, change ...func(*sip.Account)) *phone {
	f.t.Helper()
	p := f.unregistered(user)
	f.register(p, transport, change...)
	return p
}

func (f *floor) register(p *phone, transport string, change ...func(*sip.Account)) {
	f.t.Helper()
	user := p.user
	a := sip.Account{
		User: user, Domain: domain, Display: "ignored", Server: f.x.Addr(), Transport: transport,
		Password: secret(user + "-secret"), Expires: time.Minute,
	}
	for _, c := range change {
		c(&a)
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), long)
	defer cancel()
	if err := p.Register(ctx, a); err != nil {
		f.t.Fatalf("register %s over %s: %v", user, transport, err)
	}
}

func (f *floor) unregistered(user string) *phone {
	return f.phoneThat(user, nil, func(_, sdp string) (string, error) {
		if sdp == held {
			return asHeld, nil
		}
		return reply, nil
	})
}

// phoneThat is a phone that answers new offers so; look sees each event first.
func (f *floor) phoneThat(user string, look func(sip.Event), reoffer func(call, sdp string) (string, error)) *phone {
	p := &phone{t: f.t, user: user, events: make(chan sip.Event, 64)}
	ctx, cancel := context.WithCancel(f.t.Context())
	p.Phone = sip.New(sip.Config{
		UserAgent: "test", Log: testLog(), Reoffer: reoffer,
		Tell: func(e sip.Event) {
			if look != nil {
				look(e)
			}
			select {
			case p.events <- e:
			case <-ctx.Done(): // nobody listens any more
			}
		},
	})
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		<-done
	})
	return p
}

func ctxFor(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	t.Cleanup(cancel)
	return ctx
}

// next waits for an event of that kind and passes over others.
func next[E sip.Event](p *phone) E {
	p.t.Helper()
	timeout := time.After(long)
	for {
		select {
		case e := <-p.events:
			if want, ok := e.(E); ok {
				return want
			}
		case <-timeout:
			var want E
			p.t.Fatalf("%s heard no %T", p.user, want)
		}
	}
}

// silent fails if the phone rings within the time.
func (p *phone) silent(d time.Duration) {
	p.t.Helper()
	timeout := time.After(d)
	for {
		select {
		case e := <-p.events:
			if in, rings := e.(sip.Incoming); rings {
				p.t.Fatalf("%s rings: %s", p.user, in.User)
			}
		case <-timeout:
			return
		}
	}
}
