package media

import (
	"slices"
	"time"
)

// Role is a line's part in the agent's conversation, for whoever is brought in beside the caller.
type Role uint8

const (
	RoleTalk    Role = iota // an ordinary member of a conference: hears all, heard by all
	RoleListen              // hears all, heard by nobody
	RoleWhisper             // hears all, heard by the agent only
	RoleJoin                // hears all, heard by all, while there is somebody with RoleTalk: it makes no conversation by itself
)

// Attend gives a line its role. It takes effect at once when the line is part of a Mix, else as soon as it is, and goes when the
// line is closed.
func (e *Engine) Attend(id string, role Role) error {
	return e.recast(id, func(l *line) { l.aside.role = role })
}

// Bell says whether the agent and the callers hear a tone when a line that has another role than RoleTalk begins to take part, and softly
// again every 15 s while it does.
func (e *Engine) Bell(id string, on bool) error {
	return e.recast(id, func(l *line) { l.aside.bell = on })
}

// Card is on while a card number is said on a line: whoever listens, whispers or has joined in the Mix it is part of hears silence, and
// what was kept of it for Replay is wiped and nothing more is kept.
func (e *Engine) Card(id string, on bool) error {
	return e.recast(id, func(l *line) {
		l.aside.card = on
		l.keepLocked()
	})
}

// aside is what a line has to do beside the call itself; the engine's mutex guards it.
type aside struct {
	role Role
	bell bool // see Bell
	card bool
	kept *keeper // nil: nothing is kept for Replay
	clip *clip   // nil: nothing is kept for Clip

	levels *levels // nil: nobody needs them
}

func (e *Engine) recast(id string, change func(*line)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		return ErrNoLine
	}
	change(l)
	e.settleMixLocked()
	e.pauseRecordsLocked()
	e.tellPagesLocked(time.Now())
	return nil
}

// soleLocked says that the line of that name is the only one left of a conference and an ordinary member, so that it may be an
// ordinary call again. A listener never becomes one.
func (e *Engine) soleLocked(id string) bool {
	l := e.lines[id]
	return l == nil || l.aside.role == RoleTalk
}

// cast says who hears whom. Port 0 is the page; roles are those of ports 1 and on. Whoever is no ordinary member takes part in the
// others' call: without one nothing is heard of the room of an agent who is in none, nor anything said into it. With private such a
// one hears nothing at all, and only a whisper still reaches the agent.
func (d *desk) cast(roles []Role, private bool) {
	call := slices.Contains(roles, RoleTalk)
	for i, r := range roles {
		if r == RoleTalk {
			continue
		}
		for to := range d.hears {
			other := to > 0 && to != i+1
			if !call || r == RoleListen || r == RoleWhisper && other || r == RoleJoin && private {
				d.hears[to][i+1] = false
			}
		}
		if private || !call {
			clear(d.hears[i+1])
		}
	}
}
