package agent

import (
	"cmp"
	"strconv"
	"time"

	"zaseki/web/wire"
)

// popWaits is how long a page has to show the customer system where it is shown already, before the browser is told to.
const popWaits = time.Second

// crm opens the customer's page of a call, once, when the call is as far as the center wants it: at the first ringing, here or there,
// or at the answer (PRODUCT A15). Nothing waits for it.
func (s State) crm(id string, answered bool) (State, []Effect) {
	i, desk := s.call(id), s.Welcome.Desk.CRM
	if i < 0 || desk == nil || desk.Call == "" || s.Local || s.notes[id].popped || (desk.When == "answer") != answered {
		return s, nil
	}
	c := s.Calls[i]
	if desk.Outside && !c.Outside {
		return s, nil
	}
	ours := s.Welcome.Me.Terminal.Extension
	call := wire.CRMCall{Caller: c.Number, Called: cmp.Or(c.Called, ours), Queue: c.Queue, ID: c.ID, Account: s.Welcome.Me.Account}
	if !c.Inbound {
		call.Caller, call.Called = ours, c.Number
	}
	page, ok := desk.Page(call)
	if !ok {
		return s, nil
	}
	return s.noted(id, func(n *note) { n.popped = true }).pop(page)
}

// pop wants that address on the screen. A page that has the customer system's tab re-uses it; where none is open, or none says within
// popWaits that it did, the browser opens a tab. A newer address takes the place of one that still waits: that call is the one at hand.
func (s State) pop(url string) (State, []Effect) {
	if s.Pages == 0 {
		return s, []Effect{OpenCRM{url}}
	}
	s.pops++
	s.Pop = &wire.Pop{ID: strconv.Itoa(s.pops), URL: url}
	return s, []Effect{Alarm{alarmPop + s.Pop.ID, popWaits}}
}

func (s State) popShown(id string) (State, []Effect) {
	if s.Pop == nil || s.Pop.ID != id {
		return s, nil
	}
	s.Pop = nil
	return s, []Effect{Alarm{Key: alarmPop + id}}
}

// popMissed: no page has shown it.
func (s State) popMissed(id string) (State, []Effect) {
	if s.Pop == nil || s.Pop.ID != id {
		return s, nil
	}
	url := s.Pop.URL
	s.Pop = nil
	return s, []Effect{OpenCRM{url}}
}
