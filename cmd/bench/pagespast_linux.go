package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// The floor as it was, over a day of a thousand agents (issue 7): ten hours that end shortly before now, in which each has a hundred changes
// of status and sixty calls.
const (
	pastAgents = 1000
	pastShift  = 10 * time.Hour
	pastLeft   = 7 * time.Minute // before now they stop; a minute before now all have gone home
	pastOpens  = 10
	pastMoves  = 30
	pastReady  = 5 * time.Minute // for the reports to be made from that log
	pastBehind = 1000            // ms; who waits longer for an answer waits for the reports
	pastCycles = 20              // of five changes and three calls of four events each: see doing
	pastCycle  = 5 + 3*4
)

// pastView measures that page at a center and a phone of its own.
type pastView struct {
	p    *pages
	page *stage.Page
}

func (p *pages) pastRows() []measure {
	v := &pastView{p: p}
	row := func(name string, get func() (row, error)) measure {
		return measure{name, func() (row, error) {
			if v.page == nil {
				if err := v.open(); err != nil {
					return row{}, err
				}
			}
			return get()
		}}
	}
	return []measure{row("pages.past_open", v.opening), row("pages.past_move", v.moving)}
}

// open starts a center on that log and a phone, signs in, and has the page look at the floor as it is: empty.
func (v *pastView) open() error {
	p := v.p
	dir, err := os.MkdirTemp(p.dir, "past")
	if err != nil {
		return err
	}
	if err := seedDay(p.ctx, filepath.Join(dir, "data", "ledger")); err != nil {
		return fmt.Errorf("seed the ledger: %w", err)
	}
	center, err := stage.Start(p.ctx, filepath.Join(p.dir, "center"), nil, "-data", filepath.Join(dir, "data"), "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.ends = append(p.ends, func() { center.Stop() })
	phone, err := stage.StartPhone(p.ctx, filepath.Join(p.dir, "softphone"), filepath.Join(dir, "phone"), center.String("http"))
	if err != nil {
		return err
	}
	p.ends = append(p.ends, func() { phone.Stop() })
	page, err := p.browser.Open("about:blank", stage.View{Width: 1600, Height: 1000})
	if err != nil {
		return err
	}
	if err := page.Go(stage.English(phone.String("panel"), "")); err != nil {
		return err
	}
	if err := signIn(page, 1); err != nil {
		return err
	}
	if err := page.Go(stage.English(phone.String("panel"), "seats")); err != nil {
		return err
	}
	if _, err := stage.Eval[any](page, fmt.Sprintf(pastProbe, pastAgents)); err != nil {
		return err
	}
	v.page = page
	return v.made()
}

// made waits until the reports have the whole log: until then the past is not all there, and every answer waits for them.
func (v *pastView) made() error {
	for end := time.Now().Add(pastReady); ; {
		_, err := v.once()
		if err == nil {
			var took float64
			if took, err = v.fetched(); err == nil && took < pastBehind {
				return nil
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("the day is not there: %w", err)
		}
	}
}

// fetched is how long the phone takes, in ms, to answer what the page asks for, without painting it.
func (v *pastView) fetched() (float64, error) {
	return stage.Eval[float64](v.page, `(async () => { const began = performance.now(), at = new Date(Date.now() - 300000);
		await Promise.all(["/floor/day?day=" + at.toISOString().slice(0, 10), "/floor/past?at=" + at.toISOString()].map((path) => fetch(path).then((r) => r.json())));
		return performance.now() - began; })()`)
}

// pastProbe: past.open clicks on the button of the past and gives how long it takes, in ms, until the floor of then is painted, with all its
// people, who are not there now, and the day beneath the slider; past.close goes back; past.move takes the slider to so many minutes ago and
// gives how long it takes until the floor of that moment is painted, -1 where it stands there already. Painted is what stands in the page when a message posted in its frame is heard.
const pastProbe = `globalThis.past = {
	seats: %d,
	drawn: () => new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = () => done(performance.now()); requestAnimationFrame(() => c.port2.postMessage(0)); }),
	until: (so, what) => new Promise((done, fail) => {
		const late = setTimeout(() => { w.disconnect(); fail(new Error("never: " + what)); }, 15000);
		const look = () => { if (!so()) return false; w.disconnect(); clearTimeout(late); done(past.drawn()); return true; };
		const w = new MutationObserver(look);
		if (!look()) w.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
	}),
	button: () => [...document.querySelectorAll("button[aria-expanded]")].find((b) => b.checkVisibility() && b.textContent.trim() === "Past"),
	was: () => document.body.textContent.includes("As it was at " + document.querySelector(".past-clock").textContent),
	people: () => document.querySelectorAll(".seat[aria-label]").length === past.seats && !document.querySelector('.seat[aria-label*="empty"]'),
	async open() {
		await past.until(() => past.button() && document.querySelectorAll('.seat[aria-label*="empty"]').length >= past.seats - 1, "the floor as it is");
		const began = performance.now();
		past.button().click();
		return (await past.until(() => document.querySelector(".past-day") && past.was() && past.people(), "the floor as it was")) - began;
	},
	close() { if (past.button().getAttribute("aria-expanded") === "true") past.button().click(); },
	async move(ago) {
		const slider = document.querySelector("#past-time"), before = document.querySelector(".past-clock").textContent, now = new Date(), began = performance.now();
		slider.value = String(Math.max(0, now.getHours() * 60 + now.getMinutes() - ago));
		slider.dispatchEvent(new Event("input", { bubbles: true }));
		if (document.querySelector(".past-clock").textContent === before) return -1;
		return (await past.until(past.was, "that moment")) - began;
	},
};`

// once opens the past and goes back to now.
func (v *pastView) once() (float64, error) {
	took, err := stage.Eval[float64](v.page, `past.open()`)
	if _, closed := stage.Eval[any](v.page, `past.close()`); err == nil {
		err = closed
	}
	return took, err
}

// opening: from the click to the painted floor of then. The base is the answer of the phone for the same moment, without painting it.
func (v *pastView) opening() (row, error) {
	var values, bases []float64
	for range pastOpens {
		took, err := v.once()
		if err != nil {
			return row{}, err
		}
		base, err := v.fetched()
		if err != nil {
			return row{}, err
		}
		values, bases = append(values, took), append(bases, base)
	}
	r := newRow("pages.past_open", "ms", 500, values, "the same asked of the phone, not painted", bases)
	r.Value = quantile(values, 0.95)
	return r, nil
}

// moving: from a slider that is moved to another moment's floor on the screen.
func (v *pastView) moving() (row, error) {
	if _, err := stage.Eval[float64](v.page, `past.open()`); err != nil {
		return row{}, err
	}
	var values, bases []float64
	const prime = 17 // takes the moments to and fro
	for i := range pastMoves {
		ago := pastLeft + pastShift*time.Duration(i*prime%pastMoves)/pastMoves
		took, err := stage.Eval[float64](v.page, fmt.Sprintf(`past.move(%d)`, int(ago.Minutes())))
		if err != nil {
			return row{}, err
		}
		if took < 0 { // soon after midnight many moments are those of the day's beginning
			continue
		}
		base, err := v.fetched()
		if err != nil {
			return row{}, err
		}
		values, bases = append(values, took), append(bases, base)
	}
	if len(values) == 0 {
		return row{}, fmt.Errorf("the slider has nowhere to go")
	}
	r := newRow("pages.past_move", "ms", 0, values, "day and moment asked of the phone, not painted", bases)
	r.Value = quantile(values, 0.95)
	return r, nil
}

// seedDay writes the center's people and seats, and what they did.
func seedDay(ctx context.Context, dir string) error {
	l, err := ledger.Open(ledger.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer l.Close()
	began := time.Now().UTC().Add(-pastShift - pastLeft)
	s := &seeder{ctx: ctx, l: l, heads: map[string]ledger.Seq{}}
	s.add(began, roster.KindSite, "site", roster.DefaultSite())
	s.add(began, roster.KindFloor, "1", roster.Floor{ID: "1", Name: "Floor 1"})
	s.commit()
	for i := range pastAgents {
		account := fmt.Sprint("agent", i+1)
		s.add(began, roster.KindAccount, account, roster.Account{Account: account, Name: "Agent " + strconv.Itoa(i+1), Role: role(i), Agent: true, Hash: hashOf(stage.Password)})
	}
	s.commit()
	for i := range pastAgents {
		s.add(began, roster.KindTerminal, strconv.Itoa(2001+i), roster.Terminal{Extension: strconv.Itoa(2001 + i), Type: "softphone", Account: fmt.Sprint("agent", i+1)})
	}
	s.commit()
	for i := range pastAgents {
		s.add(began, roster.KindSeat, strconv.Itoa(i+1), roster.Seat{ID: strconv.Itoa(i + 1), Name: strconv.Itoa(i + 1), Floor: "1", X: i % 40, Y: i / 40})
	}
	s.commit()
	const rounds = pastCycles * pastCycle
	for round := range rounds {
		for i := range pastAgents {
			at := began.Add(pastShift*time.Duration(round)/rounds + pastShift/rounds*time.Duration(i)/pastAgents)
			s.doing(i, (round+i)/pastCycle, (round+i)%pastCycle, at)
		}
		s.commit()
	}
	for i := range pastAgents {
		account := fmt.Sprint("agent", i+1)
		s.add(began.Add(pastShift+pastLeft-time.Minute), roster.KindAgent, account, roster.Agent{Account: account, Status: wire.StatusOff})
	}
	s.commit()
	return s.err
}

// role: the first one may see everything there is.
func role(i int) string {
	if i == 0 {
		return "administrator"
	}
	return "agent"
}

// seeder writes in large parts; its first error stays.
type seeder struct {
	ctx    context.Context
	l      *ledger.Ledger
	heads  map[string]ledger.Seq
	writes []ledger.Write
	parts  int
	err    error
}

func (s *seeder) add(at time.Time, kind, id string, v any) {
	data, err := json.Marshal(v)
	if err != nil && s.err == nil {
		s.err = err
	}
	subject := ledger.Subject(kind, id)
	s.writes = append(s.writes, ledger.Write{Subject: subject, Expect: s.heads[subject], By: "bench", Why: "chosen", At: at, Data: data})
}

func (s *seeder) commit() {
	if s.err != nil {
		return
	}
	s.parts++
	last, err := s.l.Commit(s.ctx, fmt.Sprint("seed ", s.parts), s.writes)
	s.err = err
	for i, w := range s.writes {
		s.heads[w.Subject] = last - ledger.Seq(len(s.writes)-1-i)
	}
	s.writes = s.writes[:0]
}

// doing is the nth thing of a cycle that an agent does: statuses, and then calls that ring, are talked, end, and are written down.
func (s *seeder) doing(i, cycle, n int, at time.Time) {
	account := fmt.Sprint("agent", i+1)
	a := roster.Agent{Account: account, Status: wire.StatusAvailable, Since: at, Seat: strconv.Itoa(i + 1), Terminal: strconv.Itoa(2001 + i), Conn: "up", Session: &roster.Session{ID: "day of " + account}}
	c := roster.Call{ID: fmt.Sprint("c", cycle, "-", n/4), Phase: wire.CallOffered, Inbound: true, Outside: true, Peer: "0312345678", Queue: "Support", Began: at, At: at}
	switch statuses := []string{wire.StatusAvailable, wire.StatusBreak, wire.StatusAway, wire.StatusWork}; {
	case n < 5:
		a.Status = statuses[(cycle+n+i)%len(statuses)]
	case n%4 == 1:
		a.Calls = []roster.Call{c}
	case n%4 == 2:
		c.Phase, c.Answered = wire.CallTalking, at
		a.Calls = []roster.Call{c}
	case n%4 == 0:
		s.add(at, report.KindCalls, account, exchange.CallRecord{ID: account + c.ID, From: c.Peer, To: "7000", Queue: c.Queue, Account: account, Outside: true, Result: "answered", Code: 200,
			Began: at.Add(-3 * time.Minute), Answered: at.Add(-170 * time.Second), Ended: at.Add(-time.Minute), Offers: []exchange.OfferRecord{{Account: account, At: at.Add(-3 * time.Minute), Took: 9000, Result: "answered"}}})
		return
	}
	s.add(at, roster.KindAgent, account, a)
}
