package roster

import (
	"cmp"
	"maps"
	"slices"

	"zaseki/web/wire"
)

// Outcome is one way a call can have ended (ACD: disposition or wrap-up code, 対応結果).
type Outcome struct {
	ID     string     `json:"id"`
	Name   wire.Words `json:"name"`
	Order  int        `json:"order,omitempty"`
	Queues []string   `json:"queues,omitempty"` // extensions: only their calls can end so; none: every call
}

func (v *view) ordered() []Outcome {
	all := make([]Outcome, 0, len(v.outcomes))
	for o := range maps.Values(v.outcomes) {
		all = append(all, o.v)
	}
	slices.SortFunc(all, func(a, b Outcome) int { return cmp.Or(a.Order-b.Order, compareIDs(a.ID, b.ID)) })
	return all
}

// outcomesTold are those as phones get them: queues by name, as calls name them.
func (v *view) outcomesTold() (told []wire.Outcome) {
	for _, o := range v.ordered() {
		one := wire.Outcome{ID: o.ID, Name: o.Name}
		for _, q := range o.Queues {
			one.Queues = append(one.Queues, v.queues[q].v.Name)
		}
		told = append(told, one)
	}
	return told
}

func (p *plan) checkOutcomes() {
	seen := map[string]bool{}
	for i, o := range p.setup.Outcomes {
		if !statusID.MatchString(o.ID) {
			p.bad("outcomes", i, "id", "%q is not small letters, digits, - and _", o.ID)
		}
		p.once("outcomes", i, "id", o.ID, seen)
		p.text("outcomes", i, "name.en", o.Name["en"], 1)
		p.text("outcomes", i, "name.ja", o.Name["ja"], 1)
		for _, q := range o.Queues {
			_, ok := p.queues[q]
			if !ok && !slices.ContainsFunc(p.setup.Queues, func(s QueueSetup) bool { return s.Extension == q }) {
				p.bad("outcomes", i, "queues", "there is no queue %q", q)
			}
		}
	}
}
