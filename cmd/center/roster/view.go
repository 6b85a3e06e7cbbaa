package roster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// view is the present state: the last event of every entity. Rows are replaced, never changed.
type view struct {
	site       row[Site]
	accounts   map[string]row[Account]
	terminals  map[string]row[Terminal]
	agents     map[string]row[Agent]
	statuses   map[string]row[Status]
	floors     map[string]row[Floor]
	seats      map[string]row[Seat]
	queues     map[string]row[Queue]
	groups     map[string]row[Group]
	policies   map[string]row[Policy]
	calendars  map[string]row[Calendar]
	pbxs       map[string]row[PBX]
	factors    map[string]row[Factor]
	mails      map[string]row[MailTest]
	outcomes   map[string]row[Outcome]
	notes      map[string]row[noted]
	captures   map[string]row[Capture]
	attends    map[string]row[Attendance] // by the supervisor
	loads      map[string]row[Load]       // by node
	dawns      map[string]row[Dawn]
	seatChecks map[string]row[SeatCheck] // by seat
	mail       *mailbag
	book       *book
	gone       map[string]ledger.Seq // by subject: entities that are no more, and the event that said so
	rev        ledger.Seq            // newest event seen

	policyOrder []Policy
	defs        []wire.StatusDef  // standard ones, then the own ones in order
	tokens      map[string]string // session's token hash → account
	resumes     map[string]string
	attended    map[string]map[string]struct{} // by the agent's account: who attends there, or did last
	loading     bool                           // events come in no order, see loaded
	takers      map[string]struct{}            // agents whose records say that a call may ring there: few of many
}

type row[T any] struct {
	seq ledger.Seq
	v   T
}

func newView() *view {
	return &view{
		site:     row[Site]{v: DefaultSite()},
		accounts: map[string]row[Account]{}, terminals: map[string]row[Terminal]{}, agents: map[string]row[Agent]{},
		statuses: map[string]row[Status]{}, floors: map[string]row[Floor]{}, seats: map[string]row[Seat]{},
		queues: map[string]row[Queue]{}, groups: map[string]row[Group]{}, policies: map[string]row[Policy]{},
		calendars: map[string]row[Calendar]{}, pbxs: map[string]row[PBX]{}, factors: map[string]row[Factor]{}, mails: map[string]row[MailTest]{},
		outcomes: map[string]row[Outcome]{}, notes: map[string]row[noted]{}, captures: map[string]row[Capture]{}, book: newBook(),
		attends: map[string]row[Attendance]{}, attended: map[string]map[string]struct{}{}, loads: map[string]row[Load]{}, dawns: map[string]row[Dawn]{}, seatChecks: map[string]row[SeatCheck]{}, mail: newMail(),
		takers: map[string]struct{}{},
		gone:   map[string]ledger.Seq{}, tokens: map[string]string{}, resumes: map[string]string{},
		defs: wire.StandardStatuses(),
	}
}

// apply takes over an event; changed is false for one that is known already or of no concern.
func (v *view) apply(e ledger.Event) (changed bool, err error) {
	kind, id, _ := ledger.Split(e.Subject)
	v.rev = max(v.rev, e.Seq)
	switch kind {
	case KindSite:
		one := map[string]row[Site]{siteID: v.site}
		changed, err = put(v.gone, one, id, e)
		if v.site = one[siteID]; changed {
			v.orderStatuses()
		}
	case KindAccount:
		changed, err = put(v.gone, v.accounts, id, e)
	case KindTerminal:
		changed, err = put(v.gone, v.terminals, id, e)
	case KindAgent:
		changed, err = v.applyAgent(id, e)
	case KindStatus:
		if changed, err = put(v.gone, v.statuses, id, e); changed {
			v.orderStatuses()
		}
	case KindFloor:
		changed, err = put(v.gone, v.floors, id, e)
	case KindSeat:
		changed, err = put(v.gone, v.seats, id, e)
	case KindQueue:
		changed, err = put(v.gone, v.queues, id, e)
	case KindGroup:
		changed, err = put(v.gone, v.groups, id, e)
	case KindPolicy:
		if changed, err = put(v.gone, v.policies, id, e); changed {
			v.orderPolicies()
		}
	case KindCalendar:
		changed, err = put(v.gone, v.calendars, id, e)
	case KindPBX:
		changed, err = put(v.gone, v.pbxs, id, e)
	case KindFactor:
		changed, err = put(v.gone, v.factors, id, e)
	case KindMail:
		changed, err = put(v.gone, v.mails, id, e)
	case KindOutcome:
		changed, err = put(v.gone, v.outcomes, id, e)
	case KindNote:
		changed, err = put(v.gone, v.notes, id, e)
	case KindCapture:
		changed, err = put(v.gone, v.captures, id, e)
	case KindBook:
		changed, err = v.book.apply(v, id, e)
	case KindAttend:
		changed, err = v.applyAttend(id, e)
	case KindMessage:
		changed, err = v.mail.apply(id, e)
	case KindMark:
		changed, err = v.applyMark(id, e)
	case KindLoad:
		changed, err = put(v.gone, v.loads, id, e)
	case KindDawn:
		changed, err = put(v.gone, v.dawns, id, e)
	case KindSeatCheck:
		changed, err = put(v.gone, v.seatChecks, id, e)
	}
	return changed, err
}

// removed is the data of an entity that is no more. Its subject stays in the log, and a new one of that name goes on from there.
const removed = "null"

func put[T any](gone map[string]ledger.Seq, rows map[string]row[T], id string, e ledger.Event) (bool, error) {
	if e.Seq <= max(rows[id].seq, gone[e.Subject]) {
		return false, nil
	}
	if string(e.Data) == removed {
		delete(rows, id)
		gone[e.Subject] = e.Seq
		return true, nil
	}
	var v T
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return false, fmt.Errorf("event %d of %s: %w", e.Seq, e.Subject, err)
	}
	rows[id] = row[T]{e.Seq, v}
	delete(gone, e.Subject)
	return true, nil
}

func (v *view) applyAgent(id string, e ledger.Event) (bool, error) {
	before := v.agents[id].v.Session
	changed, err := put(v.gone, v.agents, id, e)
	if !changed {
		return false, err
	}
	if before != nil {
		delete(v.tokens, before.Token)
		delete(v.resumes, before.Resume)
		delete(v.resumes, before.Before)
	}
	if s := v.agents[id].v.Session; s != nil {
		v.tokens[s.Token] = id
		v.resumes[s.Resume] = id
		if s.Before != "" {
			v.resumes[s.Before] = id
		}
	}
	v.judge(id)
	return true, nil
}

// judge keeps takers.
func (v *view) judge(account string) {
	delete(v.takers, account)
	if a := v.agents[account].v; a.Session != nil && a.Conn == connUp && !a.inCall() && v.available(a.Status) {
		v.takers[account] = struct{}{}
	}
}

func (v *view) orderStatuses() {
	own := slices.SortedFunc(maps.Values(v.statuses), func(a, b row[Status]) int { return a.v.Order - b.v.Order })
	v.defs = wire.StandardStatuses()
	for i, d := range v.defs {
		v.defs[i].Minutes = v.site.v.Minutes[d.ID]
	}
	for _, s := range own {
		v.defs = append(v.defs, s.v.StatusDef)
	}
	for account := range v.agents {
		v.judge(account)
	}
}

func (v *view) orderPolicies() {
	v.policyOrder = v.policyOrder[:0:0]
	for _, id := range sorted(v.policies) {
		v.policyOrder = append(v.policyOrder, v.policies[id].v)
	}
	slices.SortStableFunc(v.policyOrder, func(a, b Policy) int { return a.Order - b.Order })
}

func (v *view) profile() wire.Profile {
	p := wire.ProfileOf(v.site.v.Profile)
	for name, on := range v.site.v.Switches {
		if s := switchOf(&p, name); s != nil {
			*s = on
		}
	}
	return p
}

// def is the definition of a status; ok is false for an unknown one.
func (v *view) def(id string) (wire.StatusDef, bool) {
	i := slices.IndexFunc(v.defs, func(d wire.StatusDef) bool { return d.ID == id })
	if i < 0 {
		return wire.StatusDef{ID: id}, false
	}
	return v.defs[i], true
}

// available says whether outside calls ring in that status.
func (v *view) available(status string) bool {
	d, _ := v.def(status)
	return d.TakesOutside()
}

func (v *view) name(account string) string {
	if n := v.accounts[account].v.Name; n != "" {
		return n
	}
	return account
}

// state is the agent's record as its phone gets it.
func (v *view) state(account string) wire.AgentState {
	r := v.agents[account]
	a := r.v
	return wire.AgentState{
		Account: account, Status: a.Status, Since: a.Since, Until: a.Until, Next: a.Next,
		Seat: a.Seat, SeatName: v.seats[a.Seat].v.Name, Hand: a.Hand, Rev: uint64(r.seq),
	}
}

// draft collects what a rule changes, entity by entity, however often it touches one.
type draft struct {
	*view
	now     time.Time
	changes []change
	// doubts are rows that were read and not written, and may be older here than in the ledger: what another node did a moment ago
	// reaches us event by event. With them the rule decides once more on what the ledger says.
	doubts []change
}

// doubt notes such a row.
func (d *draft) doubt(kind, id string) { d.doubts = append(d.doubts, change{kind: kind, id: id}) }

// change is an entity's new state.
type change struct {
	kind, id string
	expect   ledger.Seq
	value    any // a pointer to the new state
	why      string
}

// agent is the agent's new state, to be changed in place.
func (d *draft) agent(account, why string) *Agent {
	if c := d.find(KindAgent, account, why); c != nil {
		return c.value.(*Agent)
	}
	r := d.agents[account]
	a := r.v.clone()
	a.Account = account
	d.add(KindAgent, account, r.seq, &a, why)
	return &a
}

func (d *draft) terminal(extension, why string) *Terminal {
	if c := d.find(KindTerminal, extension, why); c != nil {
		return c.value.(*Terminal)
	}
	r := d.terminals[extension]
	t := r.v
	d.add(KindTerminal, extension, r.seq, &t, why)
	return &t
}

func (d *draft) seat(id, why string) *Seat {
	if c := d.find(KindSeat, id, why); c != nil {
		return c.value.(*Seat)
	}
	r := d.seats[id]
	s := r.v
	d.add(KindSeat, id, r.seq, &s, why)
	return &s
}

func (d *draft) find(kind, id, why string) *change {
	for i := range d.changes {
		if c := &d.changes[i]; c.kind == kind && c.id == id {
			c.why = why
			return c
		}
	}
	return nil
}

func (d *draft) add(kind, id string, expect ledger.Seq, value any, why string) {
	d.changes = append(d.changes, change{kind, id, expect, value, why})
}
