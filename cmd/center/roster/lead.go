package roster

import (
	"slices"

	"zaseki/web/wire"
)

// Who may act on whom (PRODUCT E3, E4): administrators on everybody, supervisors on who is in a group of theirs, everybody else on
// nobody. What a page shows or sends decides nothing; each act asks here, and is decided on the record that it changes.

// mayAct says whether somebody may act on another's account.
func (v *view) mayAct(who, account string) bool {
	a, ok := v.accounts[who]
	if _, there := v.accounts[account]; !ok || !there || a.v.Off {
		return false
	}
	return a.v.Role == "administrator" || v.leads(who, account)
}

// noAct is why not, for who asked; nil: it may.
func (v *view) noAct(who, account string) error {
	switch _, there := v.accounts[account]; {
	case v.accounts[who].v.Role != "administrator" && v.accounts[who].v.Role != "supervisor":
		return wire.Problem{Code: wire.ProblemForbidden}
	case !there:
		return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": clip(account)}}
	case !v.mayAct(who, account):
		return v.about(wire.ProblemNotLed, account)
	}
	return nil
}

// about is a problem that names a person.
func (v *view) about(code, account string) wire.Problem {
	return wire.Problem{Code: code, Holes: map[string]string{"who": v.name(account)}}
}

// leadsOf are the groups whose people the account may act on; all: everybody.
func (v *view) leadsOf(account string) (groups []string, all bool) {
	switch a := v.accounts[account].v; a.Role {
	case "administrator":
		return nil, true
	case "supervisor":
		if len(v.groups) == 0 {
			return nil, true
		}
		return slices.Clone(a.Groups), false
	}
	return nil, false
}

// me is who is signed in, as the phone shows it.
func (v *view) me(account string, t Terminal) wire.Me {
	m := wire.Me{Account: account, Name: v.name(account), Role: v.accounts[account].v.Role, Terminal: t.wire(), Encrypted: t.encrypted()}
	m.Leads, m.All = v.leadsOf(account)
	return m
}
