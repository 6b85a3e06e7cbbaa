package sip

import (
	"slices"
	"sync"

	"zaseki/sip/stack"
)

const (
	tracedCalls    = 50
	tracedMessages = 300     // of one call
	tracedBytes    = 4 << 20 // of all
)

// Message is one SIP message of a call's timeline, secrets masked.
type Message = stack.Message

// traces keeps the messages of the last calls, by Call-ID.
type traces struct {
	mu    sync.Mutex
	calls map[string]*traced
	order []string // Call-IDs, oldest first
	bytes int
}

type traced struct {
	messages []Message
	bytes    int
}

// keep hears every message there is; only INVITEs begin a timeline, so that registrations do not push calls out.
func (t *traces) keep(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	call := t.calls[m.CallID]
	if call == nil {
		if m.Method != "INVITE" {
			return
		}
		if t.calls == nil {
			t.calls = map[string]*traced{}
		}
		call = &traced{}
		t.calls[m.CallID] = call
		t.order = append(t.order, m.CallID)
	}
	if len(call.messages) == tracedMessages { // how it began stays, and the newest
		middle := tracedMessages / 2
		t.gainLocked(call, -len(call.messages[middle].Text))
		call.messages = slices.Delete(call.messages, middle, middle+1)
	}
	call.messages = append(call.messages, m)
	t.gainLocked(call, len(m.Text))
	for len(t.order) > 1 && (len(t.order) > tracedCalls || t.bytes > tracedBytes) {
		t.bytes -= t.calls[t.order[0]].bytes
		delete(t.calls, t.order[0])
		t.order = slices.Delete(t.order, 0, 1)
	}
}

func (t *traces) gainLocked(call *traced, n int) {
	call.bytes += n
	t.bytes += n
}

// of are the messages of that Call-ID in their order, none for a call that is not known or too long ago.
func (t *traces) of(callID string) []Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	if call := t.calls[callID]; call != nil {
		return slices.Clone(call.messages)
	}
	return nil
}

// timeline says which Call-ID a call had.
type timeline struct{ call, id string }

// Trace is every SIP message of a call, also of one of the last fifty that ended; empty for others.
func (p *Phone) Trace(call string) []Message {
	p.mu.Lock()
	id := ""
	for _, t := range p.timelines {
		if t.call == call {
			id = t.id
		}
	}
	p.mu.Unlock()
	return p.traces.of(id)
}
