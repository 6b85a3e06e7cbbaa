package main

import (
	"context"
	"errors"

	"zaseki/media"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// act carries what somebody does to others to the center; its no is told.
func (p *phone) act(ctx context.Context, e agent.AskAct) {
	err := p.uplink.Ask(ctx, e.Act)
	switch {
	case err == nil:
	case e.Quiet:
		p.log.Debug("act", "type", e.Act.Type(), "err", err)
	default:
		p.agent.Post(agent.AskRefused{Problem: p.problem("act", err)})
	}
}

// attend gives a supervisor's line its part before the line is in the conversation, so that it never has another there.
func (p *phone) attend(e agent.Attend) {
	role, ok := map[string]media.Role{wire.SuperviseListen: media.RoleListen, wire.SuperviseWhisper: media.RoleWhisper, wire.SuperviseJoin: media.RoleJoin}[e.Mode]
	if !ok {
		role = media.RoleListen
	}
	p.note("attend", errors.Join(p.sound.Bell(e.Call, e.Tone), p.sound.Attend(e.Call, role)))
	p.journal.note(e.Call, "sound", "takes part: "+e.Mode)
}
