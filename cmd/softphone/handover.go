package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"zaseki/media/sealed"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// errCall: a call is under way, and has the network to itself.
var errCall = errors.New("a call is under way")

// handOver gives what lies here to the center, one at a time and never during a call, until ctx ends.
func (p *phone) handOver(ctx context.Context) error {
	r := p.kept
	if r.dir == "" {
		return nil
	}
	failed := 0
	for {
		wait := time.Duration(0)
		switch err := p.sweep(ctx); {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errCall):
			wait = recordingBusy
		case err != nil:
			r.log.Info("recordings wait for the center", "err", err)
			wait, failed = min(recordingRetry<<failed, recordingSeldom), min(failed+1, 5)
		default:
			failed = 0
		}
		if wait == 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-r.wake:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-time.After(wait):
		}
	}
}

// sweep hands over all that lies here; the error is why something stays.
func (p *phone) sweep(ctx context.Context) (err error) {
	r := p.kept
	for _, f := range r.files() {
		id := strings.TrimSuffix(f.Name(), recordingSuffix)
		call, active := r.callOf(id)
		if active {
			continue
		}
		if len(p.legs()) > 0 {
			return errCall
		}
		switch sent := p.send(ctx, id, func() error { return p.pace(ctx) }); {
		case errors.Is(sent, wire.Problem{Code: wire.ProblemRecordDamaged}):
			r.log.Error("the center does not take a recording; it is kept as .bad", "recording", id)
			err = errors.Join(err, os.Rename(r.path(id), r.path(id)+refusedSuffix))
			p.tellRecording(agent.Recording{Call: call, Problem: wire.Problem{Code: wire.ProblemRecordDamaged}})
		case sent != nil:
			return errors.Join(err, sent)
		case call != "":
			r.mu.Lock()
			r.state[call] = wire.RecordingSent
			r.mu.Unlock()
			p.tellRecording(agent.Recording{Call: call, State: wire.RecordingSent})
		}
	}
	return err
}

// callOf is the call of this start that a file is of, and whether it is being written still.
func (r *recordings) callOf(id string) (call string, active bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for call, past := range r.past {
		if past == id {
			return call, r.open[call] != nil
		}
	}
	return "", false
}

// send hands one file over and deletes it when the center has it. One that is for another center stays. Next is asked before each part.
func (p *phone) send(ctx context.Context, id string, next func() error) error {
	r := p.kept
	p.mu.Lock()
	key := p.policy.Key
	p.mu.Unlock()
	if len(key) == 0 {
		return wire.Problem{Code: wire.ProblemExpired}
	}
	file, err := os.Open(r.path(id))
	if err != nil {
		return err
	}
	defer file.Close() // a second time is an error nobody hears
	head, err := sealed.ReadHead(file)
	switch {
	case errors.Is(err, sealed.ErrFormat): // a power cut at its very beginning: nothing is in it
		_ = file.Close()
		return os.Remove(r.path(id))
	case err != nil:
		return err
	case head.Key != sealed.KeyName(key):
		r.log.Debug("a recording for another center stays here", "recording", id)
		return nil
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	err = p.uplink.SendRecording(ctx, id, file, info.Size(), next)
	if err != nil {
		return err
	}
	r.log.Info("recording handed over", "recording", id, "bytes", info.Size())
	_ = file.Close() // or it cannot be deleted everywhere
	return os.Remove(r.path(id))
}

// pace waits a moment before the next part; a call ends it for now.
func (p *phone) pace(ctx context.Context) error {
	if len(p.legs()) > 0 {
		return errCall
	}
	wait := time.NewTimer(recordingPause)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

// files are the recordings that lie here, the oldest first.
func (r *recordings) files() (list []fs.DirEntry) {
	all, err := os.ReadDir(r.dir) // in the order of their names, which begin with the day
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.log.Error("recordings", "err", err)
	}
	for _, f := range all {
		if f.Type().IsRegular() && strings.HasSuffix(f.Name(), recordingSuffix) {
			list = append(list, f)
		}
	}
	return list
}

// Recording is a past call of this phone as the center plays it: a WAV file of that many bytes. Errors are a wire.Problem.
func (p *phone) Recording(ctx context.Context, call string) (io.ReadCloser, int64, error) {
	r := p.kept
	r.mu.Lock()
	id, state := r.past[call], r.state[call]
	r.mu.Unlock()
	switch {
	case id == "":
		return nil, 0, wire.Problem{Code: wire.ProblemRecordNone}
	case state != wire.RecordingSent:
		return nil, 0, wire.Problem{Code: wire.ProblemRecordComing}
	}
	return p.uplink.Recording(ctx, id)
}
