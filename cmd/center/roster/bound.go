package roster

import (
	"slices"

	"zaseki/web/wire"
)

// bound is the softphone that the center keeps for the account, when that is not the one it is signed in with: an administrator has given
// the terminal to somebody else meanwhile, or the account another one (PRODUCT A17). The status goes on belonging to the account. An empty
// terminal: the center keeps none for it. nil: all is as it should be, or a terminal was chosen that belongs to nobody.
func (v *view) bound(account, terminal string) *wire.Terminal {
	t, ok := v.terminals[terminal]
	if !ok || !t.v.wire().Soft() || t.v.Account == account {
		return nil
	}
	for _, id := range sorted(v.terminals) {
		if own := v.terminals[id].v; own.wire().Soft() && own.Account == account {
			kept := own.wire()
			return &kept
		}
	}
	return &wire.Terminal{}
}

// useTerminal moves the agent's session to the terminal that is the account's own. What its phone registers with changes, which it learns
// by resuming: its terms are others now.
func (d *draft) useTerminal(account, terminal, op string) error {
	now := d.agents[account].v
	if slices.Contains(now.Ops, op) || now.Terminal == terminal {
		return nil
	}
	own := d.bound(account, now.Terminal)
	switch to := d.terminals[terminal].v; {
	case own == nil || own.ID != terminal || terminal == "":
		return wire.Problem{Code: wire.ProblemTerminalUnknown, Holes: map[string]string{"terminal": terminal}}
	case now.inCall():
		return wire.Problem{Code: wire.ProblemTerminalCall}
	case to.Holder != "":
		d.doubt(KindTerminal, terminal)
		return wire.Problem{Code: wire.ProblemTerminalTaken, Holes: map[string]string{
			"terminal": to.Extension, "who": d.name(to.Holder), "since": clock(to.HeldSince)}}
	}
	a := d.agent(account, "terminal changed to its own")
	d.release(now.Terminal, account)
	a.Terminal, a.LastTerminal, a.Lacks = terminal, terminal, []string{missingLine}
	a.Epoch++
	a.done(op)
	t := d.terminal(terminal, "claimed")
	t.Holder, t.HeldSince = account, d.now
	t.Epoch++
	return nil
}
