package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// newGap is a shift whose telephones are at a server of their own, which goes on without the center.
func newGap(t *testing.T) (s, pbx *shift) {
	t.Helper()
	const secret = "the-secret-of-a-test"
	s, pbx = newShift(t), &shift{T: t, data: t.TempDir()}
	pbx.open("127.0.0.1:0")
	site := roster.DefaultSite()
	site.Domain = demoDomain
	pbx.apply(roster.Setup{Site: &site, Terminals: []roster.TerminalSetup{{Extension: "2001", Type: "desk", Secret: secret}}})
	s.site(func(site *roster.Site) { site.SIP.Server = pbx.node.SIP() })
	s.apply(roster.Setup{Terminals: []roster.TerminalSetup{{Extension: "2001", Account: "sato", Secret: secret}}})
	return s, pbx
}

// killed ends the center, and leaves behind what one leaves that had no time to say goodbye: it lived ten seconds ago.
func (s *shift) killed() (address string) {
	s.Helper()
	address = strings.TrimPrefix(s.node.HTTP(), "http://")
	s.shut()
	at := time.Now().Add(-10 * time.Second)
	if err := os.Chtimes(filepath.Join(s.data, "alive"), at, at); err != nil {
		s.Fatal(err)
	}
	return address
}

// offline and reconciled are a phone's two sides of a gap.
func offline(s wire.Snapshot) bool { return !s.Center.Online && s.Gap != nil && s.Gap.Until.IsZero() }
func reconciled(s wire.Snapshot) bool {
	return s.Center.Online && s.Gap != nil && !s.Gap.Until.IsZero() && s.Gap.Waiting == 0
}

// chooses a status without a center, and says between what times it was chosen.
func (s *shift) chooses(p *phone, to string) (span wire.Span) {
	s.Helper()
	span.From = time.Now()
	p.agent.Post(wire.SetStatus{To: to})
	s.until(p, to+" holds", func(s wire.Snapshot) bool { return s.Status.Now == to })
	span.Until = time.Now()
	return span
}

// TestWhatHappensWithoutTheCenterIsToldWithItsTimes: a status, a call that is taken with a next status, and another status, while the
// center is dead. Then it has each at its time, and shows the floor of that time, and the gap.
func TestWhatHappensWithoutTheCenterIsToldWithItsTimes(t *testing.T) {
	if testing.Short() {
		t.Skip("a center is away for longer than one would wait: not with -short")
	}
	s, pbx := newGap(t)
	far := pbx.customer("3001", hzCaller)
	p, until, _ := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "s1")
	address := s.killed()
	died := time.Now()
	until("it is missed", offline)
	available := s.chooses(p, wire.StatusAvailable)
	moment := func() { pass(t, 300*time.Millisecond) } // that two words, told in one breath, are of two times
	moment()
	far.calls(t, "2001")
	ringing := until("it rings", func(s wire.Snapshot) bool { _, on := s.Ringing(); return on }).Calls[0].ID
	moment()
	p.agent.Post(wire.Answer{Call: ringing})
	until("talking", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallTalking })
	p.agent.Post(wire.SetNext{To: wire.StatusBreak})
	until("next is kept", func(s wire.Snapshot) bool { return s.Status.Next == wire.StatusBreak && s.Gap.Waiting == 2 })
	moment()
	p.agent.Post(wire.HangUp{Call: ringing})
	until("over", func(s wire.Snapshot) bool { return len(s.Calls) == 0 && len(s.History) == 1 })
	until("the next status holds", func(s wire.Snapshot) bool { return s.Status.Now == wire.StatusBreak })
	over := time.Now()
	moment()
	away := s.chooses(p, wire.StatusAway)
	if now := until("what waits", offline); now.Gap.Waiting != 3 || now.Gap.Since.Sub(died) > 10*time.Second {
		t.Errorf("the phone shows %+v", now.Gap)
	}
	pass(t, time.Until(died.Add(6*time.Second))) // a shorter gap is none, nor is a word kept that comes soon
	pass(t, time.Until(away.Until.Add(4*time.Second)))
	back := time.Now()
	s.open(address)
	if now := until("all is told", reconciled); now.Gap.Lost != 0 || now.Status.Now != wire.StatusAway {
		t.Errorf("lost %d, and in %s", now.Gap.Lost, now.Status.Now)
	}

	rows := s.activity("sato")
	names := make([]string, 0, len(rows))
	for _, r := range rows {
		names = append(names, r.Status)
	}
	want := []string{"break", "available", "ringing", "talking", "break", "away"}
	if !slices.Equal(names, want) {
		t.Fatalf("the report has %v, want %v", names, want)
	}
	for i, from := range map[int]wire.Span{1: available, 2: {From: available.Until, Until: over}, 5: away} {
		if r := rows[i]; r.From.Before(from.From.Add(-time.Millisecond)) || r.From.After(back) || !r.Told.After(back) {
			t.Errorf("%s: from %s, told %s; it was %s, and the center back at %s", r.Status, r.From, r.Told, from, back)
		}
	}
	s.floorThen(p, rows)
	s.gapShown(p, died, back)
}

// activity is what the center's report has of an account, the oldest first.
func (s *shift) activity(account string) []report.ActivityRow {
	s.Helper()
	r, err := node.FindRunning(s.data)
	if err != nil {
		s.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, r.HTTP+"/api/v1/reports/activity?account="+account, nil)
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.Operator)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	var page report.Page[report.ActivityRow]
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		s.Fatal(resp.Status, err)
	}
	slices.Reverse(page.Rows)
	return page.Rows
}

// floorThen checks that the floor of each row's time shows the agent as it was.
func (s *shift) floorThen(p *phone, rows []report.ActivityRow) {
	s.Helper()
	for _, r := range rows {
		to := r.To
		if to.IsZero() {
			to = time.Now()
		}
		raw, err := p.uplink.FloorPast(s.Context(), r.From.Add(to.Sub(r.From)/2), "")
		var floor wire.Floor
		if err == nil {
			err = json.Unmarshal(raw, &floor)
		}
		i := slices.IndexFunc(floor.Seats, func(s wire.SeatState) bool { return s.Account == r.Account })
		if err != nil || i < 0 || floor.Seats[i].Status != r.Status {
			s.Errorf("%s to %s it is %s; the floor of then says %+v, %v", r.From, to, r.Status, floor.Seats, err)
		}
	}
}

// gapShown checks that the day of the floor has the gap in which the center was dead.
func (s *shift) gapShown(p *phone, died, back time.Time) {
	s.Helper()
	own, err := p.uplink.OwnDay(s.Context(), "")
	var raw json.RawMessage
	if err == nil {
		raw, err = p.uplink.FloorDay(s.Context(), own.Today, "")
	}
	var day wire.FloorDay
	if err == nil {
		err = json.Unmarshal(raw, &day)
	}
	if err != nil || !slices.ContainsFunc(day.Gaps, func(g wire.Span) bool { return g.From.Before(died) && !g.Until.Before(back) }) {
		s.Errorf("it was dead from %s to %s; the day of the floor has %+v, %v", died, back, day.Gaps, err)
	}
}

// TestWhatTheCenterRefusesAfterwardsIsSaid: a status that is none any more, a seat that somebody has taken, and an account that was
// blocked, all while the phones could not hear of it. Each is told in words, and what holds now is shown.
func TestWhatTheCenterRefusesAfterwardsIsSaid(t *testing.T) {
	s := newShift(t)
	person := func(account, extension string) roster.AccountSetup {
		return roster.AccountSetup{Account: account, Name: account, Password: demoPassword, Terminals: []string{extension}}
	}
	meeting := wire.StatusDef{ID: "meeting", Name: wire.Words{"en": "Meeting", "ja": "会議"}, Class: "pause", Colour: "blue", Sign: "M", Pickable: true}
	s.apply(roster.Setup{Statuses: []wire.StatusDef{meeting}, Accounts: []roster.AccountSetup{person("mori", "2011"), person("ono", "2012")},
		Terminals: []roster.TerminalSetup{{Extension: "2011", Account: "mori"}, {Extension: "2012", Account: "ono"}}})
	phones := map[string]*phone{}
	for account, seat := range map[string]string{"sato": "s1", "mori": "", "ono": ""} {
		s.dir = t.TempDir()
		p, until, _ := s.start(s.node.HTTP())
		s.signIn(p, until, wire.CheckAccount{Account: account, Password: demoPassword}, seat)
		phones[account] = p
	}
	address := s.killed()
	for account, to := range map[string]string{"sato": wire.StatusAway, "mori": "meeting", "ono": wire.StatusAway} {
		s.until(phones[account], "the center is missed", offline)
		s.chooses(phones[account], to)
	}

	s.open("127.0.0.1:0") // where those phones do not look for it
	s.dir = t.TempDir()
	p, until, _ := s.start(s.node.HTTP())
	p.agent.Post(wire.CheckAccount{Account: "kato", Password: demoPassword})
	choice := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil }).Choice
	p.agent.Post(wire.SignIn{Terminal: choice.Terminal, Status: wire.StatusBreak, Seat: "s1", Takeover: true})
	until("the seat is kato's", func(s wire.Snapshot) bool { return s.Seat == "s1" })
	blocked := person("ono", "2012")
	blocked.Off = true
	s.apply(roster.Setup{Accounts: []roster.AccountSetup{blocked}})
	if err := s.node.Roster().Remove(t.Context(), roster.KindStatus, "meeting", nil, "test"); err != nil {
		t.Fatal(err)
	}
	s.shut()
	s.open(address)

	sato := s.until(phones["sato"], "sato is told", reconciled)
	if sato.Status.Now != wire.StatusAway || sato.Seat != "" || !told(wire.ProblemSeatGone)(sato) {
		t.Errorf("sato is in %s at %q, and told %+v", sato.Status.Now, sato.Seat, sato.Notices)
	}
	mori := s.until(phones["mori"], "mori is told", reconciled)
	if mori.Status.Now != wire.StatusBreak || mori.Gap.Lost != 1 || !told(wire.ProblemStatusUnknown)(mori) {
		t.Errorf("mori is in %s, the gap was %+v, and told %+v", mori.Status.Now, mori.Gap, mori.Notices)
	}
	ono := s.until(phones["ono"], "ono is signed out", out)
	// Why at once, if it connects before the center has ended its session; else when ono signs in again.
	if ono.Problem == nil || !slices.Contains([]string{wire.ProblemAccountOff, wire.ProblemExpired}, ono.Problem.Code) {
		t.Errorf("ono is told %v", ono.Problem)
	}
	phones["ono"].agent.Post(wire.CheckAccount{Account: "ono", Password: demoPassword})
	s.until(phones["ono"], "and why", func(s wire.Snapshot) bool { return s.Problem != nil && s.Problem.Code == wire.ProblemAccountOff })
}
