package roster

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/exchange/pbx"
	"zaseki/web/wire"
)

// TestPBXsAreToldWhoTakesCalls: the status, the connection, the line and what is not proven, in the language of the site.
func TestPBXsAreToldWhoTakesCalls(t *testing.T) {
	t.Parallel()
	c := newCenter(t, nil, func(s *Setup) {
		s.Site.Plan.Country = "81"
		s.Site.AfterWorkSeconds = 0
		s.Queues = []QueueSetup{{Extension: "7001", Name: "Support", Levels: map[string]int{"alice": 2}}, {Extension: "7002", Name: "Sales", Agents: []string{"bob"}}}
		s.PBXs = []PBXSetup{{PBX: PBX{ID: "ast", Name: "A", Kind: "asterisk", Addr: "127.0.0.1:5038", User: "u"}, Secret: "ami-secret"}}
	})
	var mu sync.Mutex
	var seen []pbx.Agent
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- c.Availability(ctx, func(all []pbx.Agent) {
			mu.Lock()
			defer mu.Unlock()
			seen = all
		})
	}()
	defer func() { cancel(); <-done }()
	shows := func(what string, want ...string) {
		t.Helper()
		eventually(t, what, func() bool {
			mu.Lock()
			defer mu.Unlock()
			var have []string
			for _, a := range seen {
				text := a.Terminal + " " + a.Reason
				if a.Free {
					text += " free"
				}
				if a.Busy {
					text += " busy"
				}
				have = append(have, text)
			}
			return slices.Equal(have, want)
		})
	}
	shows("nobody is there")
	p := newPhone(t, c, "alice", "m1").in("2001", wire.StatusAvailable, "")
	shows("her line is not registered", "2001 受付可 (line)")
	p.Report(wire.LineReport{Registered: true})
	shows("she is free", "2001 受付可 free")
	p.Report(wire.LineReport{Registered: true, Missing: []string{"mic"}})
	shows("her microphone is silent", "2001 受付可 (mic)")
	p.Report(wire.LineReport{Registered: true})
	p.call(wire.CallReport{ID: "c1", Inbound: true, Outside: true, Peer: "0312345678"}, wire.CallOffered)
	shows("she is rung", "2001 受付可 free busy")
	p.call(wire.CallReport{ID: "c1", Inbound: true, Outside: true, Peer: "0312345678"}, wire.PhaseEnded)
	shows("she is free again", "2001 受付可 free")
	if err := p.ask(wire.SetStatus{To: "training"}); err != nil {
		t.Fatal(err)
	}
	shows("she is trained", "2001 研修中")
	mu.Lock()
	if q := seen[0].Queues; len(q) != 1 || q["7001"] != 2 || seen[0].Name != "Alice 山田" {
		t.Errorf("queues %v of %s", q, seen[0].Name)
	}
	mu.Unlock()
	if err := p.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows("she went home")
	if b := c.PBXs(); len(b) != 1 || b[0].Secret.Reveal() != "ami-secret" {
		t.Errorf("exchanges %+v", b)
	}
}

// TestPasswordsThatExpire: the phone gets one for its own terminal, made as Kamailio checks it.
func TestPasswordsThatExpire(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		s.Site.SIP.Server = "kamailio.test"
		s.PBXs = []PBXSetup{{PBX: PBX{ID: "edge", Name: "Edge", Kind: "kamailio", Ephemeral: true}, Secret: "shared"}}
	})
	p := newPhone(t, c, "alice", "m1").in("2001", wire.StatusAway, "")
	account := p.welcome.SIP
	expiry, terminal, _ := strings.Cut(account.AuthUser, ":")
	if account.User != "2001" || terminal != "2001" || len(expiry) != 10 || account.Secret == "" {
		t.Fatalf("user %s, signs in as %s", account.User, account.AuthUser)
	}
	if strings.Contains(account.Secret, "shared") {
		t.Error("the shared secret is given away")
	}
	user, password := ephemeral("shared", "2001", time.Unix(1800000000, 0))
	if user != "1800000000:2001" || password != "hAEPbMtmZRXQBLoYpp77fnAcPug=" {
		t.Errorf("%s %s", user, password)
	}
}
