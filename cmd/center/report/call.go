package report

import (
	"encoding/json"
	"slices"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
)

// Directions of a call.
const (
	inbound  = "in"     // from outside
	outbound = "out"    // to outside
	inside   = "inside" // among ourselves
)

// Reasons why a call from outside, or one of a queue, was missed.
const (
	leftEarly  = "left"       // the caller gave up before anybody took it
	noReceipt  = "silent"     // the phone did not prove in time that it rings
	notTaken   = "unanswered" // it rang until its time was over
	declined   = "declined"
	notReached = "unreached" // no phone was registered
	byPhone    = "refused"   // by the phone, or for another reason that its SIP code tells
	nobodyFree = "nobody"
	engaged    = "busy"
)

// reasons are those above and the queues' own, see exchange.CallRecord.Why.
var reasons = []string{leftEarly, noReceipt, notTaken, declined, notReached, byPhone, nobodyFree, engaged, "closed", "holiday", "empty", "full", "late"}

// call keeps a call that ended.
func (p *projector) call(e ledger.Event) error {
	if string(e.Data) == "null" {
		return nil
	}
	var r exchange.CallRecord
	if err := read(e, &r); err != nil {
		return err
	}
	direction, err := p.direction(r)
	if err != nil {
		return err
	}
	other, err := p.other(r, direction)
	if err != nil {
		return err
	}
	r.Ended = latest(r.Ended, r.Answered, r.Began) // a clock may have gone back
	var answered any
	if !r.Answered.IsZero() {
		answered = latest(r.Answered, r.Began).UnixMicro()
	}
	offers, err := listed(r.Offers)
	if err != nil {
		return err
	}
	moments, err := listed(r.Moments)
	if err != nil {
		return err
	}
	for _, o := range r.Offers {
		if err := p.exec("INSERT INTO offer (call, account, at, took, result) VALUES (?,?,?,?,?)", e.Seq, o.Account, o.At.UnixMicro(), o.Took, o.Result); err != nil {
			return err
		}
	}
	if err := p.tie(e.Seq, r, other); err != nil {
		return err
	}
	return p.exec(`INSERT INTO call (seq, id, caller, name, called, queue, account, callee, outside, direction, result, code, began, answered, ended,
		why, message, reason, other, offers, moments, hung, by) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		e.Seq, r.ID, r.From, r.Name, r.To, r.Queue, r.Account, r.Callee, r.Outside, direction, r.Result, r.Code,
		r.Began.UnixMicro(), answered, r.Ended.UnixMicro(), r.Why, r.Message, reason(r, direction), other, offers, moments, r.HungUp, r.TransferredBy)
}

// listed is a list as JSON; "" an empty one.
func listed[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// direction goes by what the caller's terminal was when the call was.
func (p *projector) direction(r exchange.CallRecord) (string, error) {
	if !r.Outside {
		return inside, nil
	}
	if r.Queue != "" {
		return inbound, nil
	}
	t, err := p.kept(roster.KindTerminal, r.Caller)
	if err != nil {
		return "", err
	}
	if kind, known := t["type"]; known && string(kind) != `"trunk"` {
		return outbound, nil
	}
	return inbound, nil
}

// other is whose terminal an inside call rang; nil: nobody's.
func (p *projector) other(r exchange.CallRecord, direction string) (any, error) {
	if direction != inside || r.Queue != "" || r.Callee == "" {
		return nil, nil
	}
	t, err := p.kept(roster.KindTerminal, r.Callee)
	var account string
	if err != nil || t["account"] == nil || json.Unmarshal(t["account"], &account) != nil || account == "" {
		return nil, err
	}
	return account, nil
}

// reason is why a call was missed; "" it was not, or nobody here had to take it.
func reason(r exchange.CallRecord, direction string) string {
	if !r.Answered.IsZero() || r.Result == "answered" || direction == outbound || direction == inside && r.Queue == "" {
		return ""
	}
	switch {
	case r.Result == "cancelled":
		return leftEarly
	case slices.Contains(reasons, r.Why):
		return r.Why
	}
	if n := len(r.Offers); n > 0 {
		switch r.Offers[n-1].Result {
		case "declined":
			return declined
		case "silent":
			return noReceipt
		case "unreached":
			return notReached
		case "missed":
			return notTaken
		}
		return byPhone
	}
	switch {
	case r.Queue != "" && (r.Result == "missed" || r.Result == "voice"):
		return nobodyFree
	case r.Code == 486 || r.Code == 600:
		return engaged
	case r.Code == 603:
		return declined
	case r.Code == 408 || r.Result == "missed":
		return notTaken
	case r.Code == 480:
		return notReached
	}
	return byPhone
}
