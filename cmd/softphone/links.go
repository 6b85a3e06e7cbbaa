package main

import (
	"context"

	"zaseki/web/wire"
)

// links makes this phone the one that opens links to call by (wire.SetLinkTel and its like). A link comes back to the program behind
// "--": whatever it holds, it is no flag.
type links struct{ launch }

// linkKind is a setting and the schemes it stands for.
type linkKind struct {
	setting string
	schemes []string
}

func linkKinds() []linkKind {
	return []linkKind{{wire.SetLinkTel, []string{"tel"}}, {wire.SetLinkCallto, []string{"callto"}}, {wire.SetLinkSIP, []string{"sip", "sips"}}}
}

// Apply implements applier. All schemes stand in the same places, so all are brought in line; the problem is that of the one that was
// asked for.
func (l links) Apply(ctx context.Context, name string, v wire.Values) *wire.Problem {
	var wanted, mine []string
	for _, k := range linkKinds() {
		if v.On(k.setting) {
			wanted = append(wanted, k.schemes...)
		}
		if k.setting == name {
			mine = k.schemes
		}
	}
	if len(mine) == 0 {
		return nil
	}
	err := l.set(wanted)
	if err == nil && v.On(name) {
		err = l.check(ctx, mine[0])
	}
	if err != nil {
		return &wire.Problem{Code: wire.ProblemLink, Holes: map[string]string{"scheme": mine[0], "reason": err.Error()}}
	}
	return nil
}
