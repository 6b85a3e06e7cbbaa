package exchange

import (
	"testing"
	"time"
)

// TestAPBXIsToldWhatTheRulesSay: PRODUCT's rules for who is not taken hold on a PBX too, and the answer says why.
func TestAPBXIsToldWhatTheRulesSay(t *testing.T) {
	rules := func(r ...Rule) []Rule { return r }
	for _, r := range []struct {
		name    string
		state   QueueState
		code    string
		contact string
		reason  string
	}{
		{"closed, and no rule", QueueState{Closed: "closed"}, "480", "", `Q.850;cause=18;text="closed"`},
		{"a holiday: another number", QueueState{Closed: "holiday", Rules: rules(Rule{When: "closed", Do: "busy"}, Rule{When: "holiday", Do: "number", To: "0312345678"})}, "302", "<sip:0312345678@pbx.test>", ""},
		{"closed: busy", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "busy"})}, "486", "", `Q.850;cause=17;text="closed"`},
		{"closed: a message, which the PBX takes", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "voice"})}, "480", "", `Q.850;cause=18;text="closed"`},
		{"closed: the same queue again", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "queue", To: "7000"})}, "480", "", `Q.850;cause=18;text="nobody free"`},
		{"nobody signed in", QueueState{Empty: true, Rules: rules(Rule{When: "empty", Do: "number", To: "1004"})}, "302", "<sip:1004@pbx.test>", ""},
		{"nobody signed in, and no rule", QueueState{Empty: true}, "480", "", `Q.850;cause=18;text="nobody free"`},
		{"late", QueueState{Rules: rules(Rule{When: "late", Do: "busy"})}, "486", "", `Q.850;cause=17;text="late"`},
		{"not late yet", QueueState{Rules: rules(Rule{When: "late", After: time.Hour, Do: "busy"})}, "480", "", `Q.850;cause=18;text="nobody free"`},
		{"a number that breaks out", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "number", To: "1>\r\nX: y"})}, "480", "", `Q.850;cause=18;text="nobody free"`},
	} {
		t.Run(r.name, func(t *testing.T) {
			f := newFloor(t, stands(Outside{Askers: []Asker{{ID: "main", Accept: nets("127.0.8.2/32"), Domain: "pbx.test"}}}))
			f.be(r.state)
			answer := f.rawFrom("127.0.8.2").question("7000")
			if status(answer) != r.code || header(answer, "Contact") != r.contact || r.reason != "" && header(answer, "Reason") != r.reason {
				t.Errorf("answered %s", answer)
			}
		})
	}
}
