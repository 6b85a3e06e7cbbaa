package agent

import (
	"maps"
	"slices"
	"time"

	"zaseki/web/wire"
)

// State is everything about this agent, as a value. Only Step makes a new one.
type State struct {
	Now time.Time // set by the loop before each Step, so that Step needs no clock

	Phase    string // a wire.Phase… constant
	Account  string
	Problem  *wire.Problem
	Choice   *wire.Choice
	Asked    *wire.SignIn
	Proof    *wire.Proof
	Away     string             // where the browser was sent to sign in
	SignOn   *wire.SingleSignOn // what the center offers beside the password
	Quitting bool               // Left means Gone

	Welcome wire.Welcome // of the present sign-in; its secrets never enter a snapshot
	Record  wire.AgentState
	Link    wire.CenterLink
	Line    wire.Line
	Wish    string
	Offer   string

	Calls   []wire.Call
	Run     string // names this process in those of calls we place: no two calls of an account have one name
	Serial  int    // of the next call we place
	Muted   bool
	Mic     string
	Sound   bool
	Pages   int
	History []wire.PastCall
	Ask     *wire.Question
	Notices []wire.Notice
	Dialled string

	MicLabel  string
	Way       string    // by what the page carries the sound
	Gone      bool      // in a call, and no page carries its sound
	Shown     time.Time // of the last ShowPage
	MutedTalk bool
	Devices   wire.Devices
	Rings     []string
	Echo      bool
	RingTest  bool
	Network   *wire.NetworkTest

	SIP       *wire.SIPForm // of UseSIP, as last asked for or kept from the last time
	Local     bool          // signed in, or signing in, by UseSIP
	Desk      desk
	Contacts  []wire.Contact
	Shared    shared // phonebook of the center
	Lamps     []wire.Lamp
	Voicemail wire.Voicemail

	Chosen  wire.Values // settings, by this person on this machine
	Rules   Rules
	Held    wire.Values // settings as they hold
	Failing map[string]wire.Problem
	Saved   wire.Saved
	Once    *wire.Choice
	Auto    *wire.AutoSignIn
	Then    *wire.SignIn // goes on with it after step one

	Keyring   bool   // this machine keeps secrets
	NoKeyring string // why not
	AutoWait  time.Duration
	Update    *wire.Update
	Unasked   time.Time // a link was dialled without a question
	Missed    Missed
	Messages  *wire.Messages // the mailbox at the center; nil: it has said none
	Pop       *wire.Pop

	away      gap
	scarce    bool                 // of memory
	written   written              // about calls, for the center
	pops      int                  // so many were there
	strangers map[string]time.Time // origins that are not asked about before then; never changed in place

	proven  proven
	missing []string // as the center was told last

	notes map[string]note // by call; never changed in place
	aside aside
	focus string // the call of the last effect Focus
}

// note is what the agent remembers of a call and no face needs to know.
type note struct {
	then    string // digits to send once somebody answered
	hold    string // wishOn or wishOff: a hold or resume that is not answered yet
	move    string // moveWaits or moveSent
	number  string // to send the far side to; "" with a partner
	partner string // the other call of an attended transfer, told to both
	asked   *TransferAsked
	follows string // the call that we left for this one
	gone    string // the call of ours that goes on with this one
	tape    bool   // it is to be recorded
	taping  bool   // and was asked to be
	kept    string // what became of a recording that ended before the call
	popped  bool   // its customer's page was opened
	tally   tally
}

const (
	wishOn    = "on"
	wishOff   = "off"
	moveWaits = "waits" // for the hold before it
	moveSent  = "sent"
)

// Start is the state of a phone nobody signed in to. URL is the center's; without one only UseSIP can sign in.
func Start(url string) State {
	return State{Phase: wire.PhaseOut, Link: wire.CenterLink{URL: url}}
}

const (
	historyLength = 200
	callsMax      = 4 // one mouth, and three that ring or wait
)

// Snapshot is what faces may see of the state.
func (s State) Snapshot() wire.Snapshot {
	snap := wire.Snapshot{
		Phase: s.Phase, Account: s.Account, Problem: s.Problem, Asked: s.Asked, Choice: s.Choice, Proof: s.Proof, SignOn: s.SignOn,
		Center: s.Link, Line: s.Line, Calls: s.Calls, Muted: s.Muted, Mic: s.Mic, Sound: s.Sound, Pages: s.Pages,
		History: s.History, Remarks: s.written.far, Ask: s.Ask, Notices: s.Notices, Dialled: s.Dialled, Profile: wire.ProfileOf(""),
		Centerless: s.Link.URL == "", SIP: s.SIP, Local: s.Local && s.in(), Contacts: s.Contacts, Lamps: s.Lamps, Voicemail: s.Voicemail,
		MicLabel: s.MicLabel, Way: s.Way, MutedTalk: s.MutedTalk, Devices: s.Devices, Rings: s.Rings, Echo: s.Echo, RingTest: s.RingTest, Network: s.Network,
		Settings: s.Held, Locks: s.locks(), Failing: s.Failing, Saved: s.Saved, Update: s.Update,
		Once: s.Once, Auto: s.Auto, Missed: s.Missed.unseen(), Book: s.Shared.rev, Pop: s.Pop,
	}
	snap.Saved.Can = s.Keyring && !s.Rules.Forget
	if s.Once != nil {
		snap.Profile = s.Once.Profile // of the center that was here last: until it says otherwise
	}
	if s.Problem != nil {
		snap.Takeover = mayTakeOver(s.Problem.Code)
	}
	if s.Phase == wire.PhaseBrowser {
		snap.Away = s.Away
	}
	if s.Choice != nil {
		snap.Profile = s.Choice.Profile
	}
	if s.in() {
		me := s.Welcome.Me
		snap.Me, snap.Statuses, snap.Profile = &me, s.Welcome.Statuses, s.Welcome.Profile
		snap.Seat, snap.SeatName, snap.Hand = s.Record.Seat, s.Record.SeatName, s.Record.Hand
		snap.Status = s.statusView()
		snap.Attendants, snap.Supervised = s.attendants(), s.supervised()
		snap.Messages, snap.Unread = s.Messages, s.unread()
		snap.Gap = s.gap()
		snap.Policy = s.Welcome.Policy
		snap.Policy.Key = nil
		if !s.Local {
			desk := s.Welcome.Desk
			snap.Desk = &desk
		}
	}
	return snap
}

// lasting is the state with what belongs to this machine rather than to who is signed in.
func (s State) lasting(of State) State {
	s.Now, s.Run, s.Serial, s.SIP, s.SignOn = of.Now, of.Run, of.Serial, of.SIP, of.SignOn
	s.Pages, s.Sound, s.Way, s.Mic, s.MicLabel = of.Pages, of.Sound, of.Way, of.Mic, of.MicLabel
	s.Devices, s.Rings, s.Echo, s.RingTest, s.Shown = of.Devices, of.Rings, of.Echo, of.RingTest, of.Shown
	s.proven = of.proven
	s.Chosen, s.Rules, s.Held, s.Failing, s.Saved, s.Once, s.Update = of.Chosen, of.Rules, of.Held, of.Failing, of.Saved, of.Once, of.Update
	s.Keyring, s.NoKeyring, s.Unasked, s.strangers, s.pops = of.Keyring, of.NoKeyring, of.Unasked, of.strangers, of.pops
	return s
}

// whose is the account at the center that is signed in; "" without one.
func (s State) whose() string {
	if s.Local || !s.in() {
		return ""
	}
	return s.Welcome.Me.Account
}

func (s State) in() bool { return s.Phase == wire.PhaseIn || s.Phase == wire.PhaseLeaving }

// statusView puts the system statuses over the agent's own (PRODUCT D4).
func (s State) statusView() wire.StatusView {
	v := wire.StatusView{Now: s.Record.Status, Shown: s.Record.Status, Since: s.Record.Since, Until: s.Record.Until,
		Wish: s.Wish, Next: s.Record.Next, Offer: s.Offer}
	for _, c := range s.Calls {
		switch {
		case c.Phase == wire.CallOffered:
			v.Shown, v.Since = wire.StatusRinging, c.Began
		case c.Inbound && c.Outside:
			v.Shown, v.Since = wire.StatusTalking, c.Answered
		case !c.Inbound && c.Outside:
			v.Shown, v.Since = wire.StatusDialing, c.Began
		default:
			continue
		}
		break
	}
	if !s.Link.Online {
		v.Shown, v.Since = wire.StatusLost, s.Link.Since
	}
	return v
}

// takesOutside says whether an outside call may ring: the center's word counts, and so does a wish to leave that status
// which the center has not confirmed yet.
func (s State) takesOutside() bool {
	return s.Phase == wire.PhaseIn && s.class(s.Record.Status) == "available" &&
		(s.Wish == "" || s.class(s.Wish) == "available")
}

func (s State) class(status string) string {
	for _, d := range s.Welcome.Statuses {
		if d.ID == status {
			return d.Class
		}
	}
	return ""
}

// call is the index of that call, or -1.
func (s State) call(id string) int {
	return slices.IndexFunc(s.Calls, func(c wire.Call) bool { return c.ID == id })
}

// with is the state with that call changed; the slice of the old state stays as it was.
func (s State) with(i int, change func(*wire.Call)) State {
	s.Calls = slices.Clone(s.Calls)
	change(&s.Calls[i])
	return s
}

// noted is the state with that call's note changed.
func (s State) noted(id string, change func(*note)) State {
	n := s.notes[id]
	change(&n)
	s.notes = maps.Clone(s.notes)
	if s.notes == nil {
		s.notes = map[string]note{}
	}
	s.notes[id] = n
	return s
}

func (s State) unnoted(id string) State {
	s.notes = maps.Clone(s.notes)
	delete(s.notes, id)
	return s
}

// answered says whether sound may flow in that call.
func answered(c wire.Call) bool { return c.Phase == wire.CallTalking || c.Phase == wire.CallHeld }

func (s State) has(phases ...string) bool {
	return slices.ContainsFunc(s.Calls, func(c wire.Call) bool { return slices.Contains(phases, c.Phase) })
}

// notice is the state with that notice on top; one of the same code is replaced, so that none piles up.
func (s State) notice(level string, p wire.Problem) State {
	s = s.unnotice(p.Code)
	s.Notices = append([]wire.Notice{{ID: p.Code, Level: level, Problem: p, At: s.Now}}, s.Notices...)
	return s
}

func (s State) unnotice(codes ...string) State {
	if !slices.ContainsFunc(s.Notices, func(n wire.Notice) bool { return slices.Contains(codes, n.ID) }) {
		return s
	}
	s.Notices = slices.DeleteFunc(slices.Clone(s.Notices), func(n wire.Notice) bool { return slices.Contains(codes, n.ID) })
	return s
}

func mayTakeOver(code string) bool {
	return code == wire.ProblemSeatTaken || code == wire.ProblemTerminalTaken || code == wire.ProblemElsewhere
}
