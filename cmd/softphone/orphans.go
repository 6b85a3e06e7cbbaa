package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"zaseki/sip"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	orphansFile = "calls.json"
	orphanOld   = 12 * time.Hour // then nobody is on the line any more
	buryTime    = 10 * time.Second
)

// orphan is a call that this phone is in, as the next process needs it to end the call and to tell the person, when this one is killed.
type orphan struct {
	Center  string     `json:"center"` // "" none: what is written about the call is here only, however old it is
	Account string     `json:"account"`
	Call    wire.Call  `json:"call"`
	Aside   bool       `json:"aside,omitempty"` // a supervisor's part in a call: none that the person is told of
	Line    sip.Orphan `json:"line"`            // zero before the call is answered
}

// old says that there is nothing to end: the call was not answered, or that long ago.
func (l orphan) old() bool { return time.Since(l.Call.Answered) > orphanOld }

// orphans is the note of them: a file beside the settings, there only while somebody talks.
type orphans struct {
	path string
	log  *slog.Logger
	left []orphan // by the process before this one; of other accounts too
	now  map[string]orphan
}

func newOrphans(dir string, log *slog.Logger) *orphans {
	o := &orphans{path: filepath.Join(dir, orphansFile), log: log, now: map[string]orphan{}}
	data, err := os.ReadFile(o.path)
	if err == nil {
		err = json.Unmarshal(data, &o.left)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("calls of the process before are not known", "err", err)
	}
	o.left = slices.DeleteFunc(o.left, func(l orphan) bool { return l.Center != "" && l.old() })
	return o
}

// write brings the file to what is known.
func (o *orphans) write() {
	all := slices.Clone(o.left)
	for _, n := range o.now {
		all = append(all, n)
	}
	var err error
	if len(all) == 0 {
		if err = os.Remove(o.path); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else {
		var data []byte
		if data, err = json.Marshal(all); err == nil {
			err = writeFile(o.path, data)
		}
	}
	if err != nil {
		o.log.Debug("note of the calls", "err", err) // a folder that cannot be written is told by the settings
	}
}

// keepOrphans notes which calls this phone is in, until ctx ends, and ends those that a killed process has left, as soon as their
// line is registered again.
func (p *phone) keepOrphans(ctx context.Context) error {
	if p.cfg.kept == nil || p.cfg.store.dir == "" {
		return nil // a robot's calls are nobody's
	}
	o := newOrphans(p.cfg.store.dir, p.log)
	defer func() { o.now = nil; o.write() }() // who ends by itself has hung up
	news, stop := p.agent.Watch()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-news:
			if !ok {
				return nil
			}
			p.noteCalls(o, s)
			if s.Phase == wire.PhaseIn && s.Line.State == "registered" && s.Me != nil {
				p.bury(ctx, o, s)
			}
		}
	}
}

// aside are the answered calls that carry a supervisor's part, here or there: no list has them, and yet they would go on at the far
// side until it hears for long that nobody is there.
func aside(s wire.Snapshot) (all []wire.Call) {
	for _, a := range s.Attendants {
		all = append(all, wire.Call{ID: a.Call, Name: a.Name, Answered: a.Since})
	}
	if o := s.Supervised; o != nil {
		all = append(all, wire.Call{ID: o.Call, Name: o.Agent, Answered: o.Since})
	}
	return all
}

// noteCalls writes down the calls, with what is written about them, and strikes out those that are over.
func (p *phone) noteCalls(o *orphans, s wire.Snapshot) {
	changed := false
	all := slices.Concat(s.Calls, aside(s))
	for id := range o.now {
		if !slices.ContainsFunc(all, func(c wire.Call) bool { return c.ID == id }) {
			delete(o.now, id)
			changed = true
		}
	}
	for i, c := range all {
		if s.Me == nil {
			break
		}
		was := o.now[c.ID]
		was.Aside = i >= len(s.Calls)
		if now, news := p.orphanOf(was, c, s.Me.Account); news {
			o.now[c.ID] = now
			changed = true
		}
	}
	if changed {
		o.write()
	}
}

// orphanOf is what is to be written down of a call, of which was is there so far. False: nothing else than that. A call is worth it
// once it is answered; without a center, where nobody else has a note, also once something is written about it.
func (p *phone) orphanOf(was orphan, c wire.Call, account string) (orphan, bool) {
	c.Quality, c.Digits, c.Received = nil, "", ""
	if was.Call.Answered.IsZero() && !c.Answered.IsZero() {
		if line, ok := p.line.Orphan(c.ID); ok {
			return orphan{p.cfg.center.url, account, c, was.Aside, line}, true
		}
	}
	if was.Call.Note == c.Note && was.Call.Outcome == c.Outcome {
		return was, false
	}
	if was.Call.ID == "" {
		return orphan{Account: account, Call: c}, p.cfg.center.url == "" && c.Answered.IsZero()
	}
	was.Call.Note, was.Call.Outcome = c.Note, c.Outcome
	return was, true
}

// bury ends what was left by this account, and tells the person.
func (p *phone) bury(ctx context.Context, o *orphans, s wire.Snapshot) {
	mine := func(l orphan) bool { return l.Center == p.cfg.center.url && l.Account == s.Me.Account }
	for _, l := range o.left {
		if !mine(l) {
			continue
		}
		p.log.Warn("call lost with the process before", "call", l.Call.ID, "account", l.Account)
		if !l.old() {
			limited, cancel := context.WithTimeout(ctx, buryTime)
			p.note("end it", p.line.Bury(limited, l.Line))
			cancel()
		}
		if !l.Aside {
			p.agent.Post(agent.CallLost{Call: l.Call})
		}
	}
	if rest := slices.DeleteFunc(slices.Clone(o.left), mine); len(rest) < len(o.left) {
		o.left = rest
		o.write()
	}
}
