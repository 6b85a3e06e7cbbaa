package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"time"

	"zaseki/media/sealed"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	clipTime   = time.Minute     // for a clip to be with the center; later nobody needs it
	clipHand   = 3 * time.Second // for the center's word that the hand is up
	clipSuffix = ".clip"         // behind the name of the call that it is of, whose recording it is not
)

// hand raises the hand, or lowers it. Who leads is told at once; what was said lately follows as soon as the center has it.
func (p *phone) hand(ctx context.Context, e agent.AskHand) error {
	var said [][]byte
	if e.Clip != "" {
		var err error
		if said, err = p.sound.Clip(e.Clip); err != nil {
			p.log.Info("no clip of the call", "call", e.Clip, "err", err)
		}
	}
	if err := p.uplink.RaiseHand(ctx, wire.RaiseHand{On: e.On, Call: e.Call}); err != nil || len(said) == 0 {
		return err
	}
	p.jobs.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), clipTime)
		defer cancel()
		p.note("clip", p.sendClip(ctx, e, said))
	})
	return nil
}

// sendClip seals what was said, hands it over, and tells of it with the hand if that is up still. The hand-over goes on beside the call:
// it is half a minute of sound. One that did not get through goes with the recordings later.
func (p *phone) sendClip(ctx context.Context, e agent.AskHand, said [][]byte) error {
	p.mu.Lock()
	policy := p.policy
	p.mu.Unlock()
	info, ok := p.whose(e.Clip)
	if !ok || !policy.Clip || len(policy.Key) == 0 || p.kept.dir == "" {
		return nil
	}
	info.Call += clipSuffix
	info.Began = info.Began.Add(-clipLength(said))
	info.ID = info.Began.Format("20060102") + "-" + rand.Text()
	if err := p.kept.keepWhole(info, policy.Key, said); err != nil {
		return err
	}
	if err := p.send(ctx, info.ID, ctx.Err); err != nil {
		return err
	}
	if !p.handUp(ctx) {
		return nil
	}
	call := *e.Call
	call.Clip = info.ID
	p.log.Info("clip handed over", "call", e.Clip, "recording", info.ID)
	return p.uplink.RaiseHand(ctx, wire.RaiseHand{On: true, Call: &call})
}

// clipLength is about how long it is: a block is a second.
func clipLength(said [][]byte) time.Duration { return time.Duration(len(said)-1) * time.Second }

// handUp waits a moment until the center has said that the hand is up.
func (p *phone) handUp(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, clipHand)
	defer cancel()
	news, stop := p.agent.Watch()
	defer stop()
	for {
		select {
		case s := <-news:
			if !s.Hand.IsZero() {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// keepWhole writes a recording that is there already.
func (r *recordings) keepWhole(info sealed.Info, key []byte, blocks [][]byte) error {
	if err := errors.Join(r.room(), os.MkdirAll(r.dir, recordingsFolder)); err != nil {
		return err
	}
	file, err := sealed.Create(r.path(info.ID), key, info)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		err = errors.Join(err, file.Write(b))
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(r.path(info.ID)))
	}
	return nil
}
