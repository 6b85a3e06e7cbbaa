package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zaseki/media"
	"zaseki/media/sealed"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	recordingsDir    = "recordings"
	recordingSuffix  = ".rec"
	refusedSuffix    = ".bad"
	recordingsMost   = 4 << 30                // bytes that may wait here for the center; then nothing more is recorded
	recordingPause   = 200 * time.Millisecond // between two parts: hand-over is background work, 1.3 MB/s at most
	recordingRetry   = 15 * time.Second       // after a hand-over that did not end, doubled up to recordingSeldom
	recordingSeldom  = 5 * time.Minute
	recordingBusy    = 5 * time.Second // between two looks whether calls are over
	consentToneMost  = 3 * time.Second
	recordingsFolder = 0o700
)

// recordings are the calls of this phone that are being recorded, and the sealed files that wait for the center. This phone cannot
// open them; whatever account is signed in hands them over.
type recordings struct {
	dir  string // "": nothing is recorded, as by a simulated agent
	log  *slog.Logger
	wake chan struct{} // there may be something to hand over
	tone chan string   // lines whose announcement has ended

	mu    sync.Mutex
	open  map[string]*recording // by call
	past  map[string]string     // recordings of past calls, by call
	state map[string]string     // of past calls: kept, sent
}

// recording is one that is being written.
type recording struct {
	id     string
	file   *sealed.Writer
	paused bool
}

// newRecordings keeps its files in a folder below dir; "" keeps none.
func newRecordings(dir string, log *slog.Logger) *recordings {
	if dir != "" {
		dir = filepath.Join(dir, recordingsDir)
	}
	return &recordings{dir: dir, log: log, wake: make(chan struct{}, 1), tone: make(chan string, 1),
		open: map[string]*recording{}, past: map[string]string{}, state: map[string]string{}}
}

// look says that there may be something to hand over, or that it may be possible now.
func (r *recordings) look() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// record begins a recording or ends it. How that went is told as agent.Recording.
func (p *phone) record(ctx context.Context, call string, on bool) {
	if !on {
		p.sound.StopRecord(call) // media.Recorded follows
		return
	}
	switch err := p.beginRecording(ctx, call); {
	case err == nil, errors.Is(err, errRecorded), p.kept.dir == "":
	case ctx.Err() != nil, errors.Is(err, media.ErrNoLine): // the call was over first
		p.tellRecording(agent.Recording{Call: call})
	default:
		p.tellRecording(agent.Recording{Call: call, Problem: recordProblem(err)})
	}
}

var errRecorded = errors.New("it is being recorded")

func recordProblem(err error) wire.Problem {
	var words wire.Problem
	if errors.As(err, &words) {
		return words
	}
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return wire.Problem{Code: wire.ProblemRecordDisk, Holes: map[string]string{"reason": disk.Err.Error()}}
	}
	return wire.Problem{Code: wire.ProblemRecording, Holes: map[string]string{"reason": err.Error()}}
}

func (p *phone) beginRecording(ctx context.Context, call string) error {
	r := p.kept
	p.mu.Lock()
	policy := p.policy
	p.mu.Unlock()
	switch {
	case r.dir == "":
		return errors.New("this phone keeps nothing")
	case r.being(call):
		return errRecorded
	case policy.Record == wire.RecordNever || len(policy.Key) == 0:
		return wire.Problem{Code: wire.ProblemForbidden}
	}
	if err := r.room(); err != nil {
		return err
	}
	if policy.Tone {
		if err := p.consent(ctx, call); err != nil {
			p.log.Warn("recording tone", "call", call, "err", err)
			return wire.Problem{Code: wire.ProblemRecordTone}
		}
	}
	info, ok := p.whose(call)
	if !ok {
		return media.ErrNoLine
	}
	rec, err := r.create(info, policy.Key)
	if err != nil {
		return err
	}
	if err := p.sound.Record(call, rec.file.Write); err != nil {
		r.drop(call, rec)
		return err
	}
	p.log.Info("recording", "call", call, "recording", rec.id)
	p.tellRecording(agent.Recording{Call: call, State: r.now(call)})
	return nil
}

// being says whether the call is being recorded.
func (r *recordings) being(call string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open[call] != nil
}

// whose is what a recording says of its call. False: nobody is signed in any more.
func (p *phone) whose(call string) (sealed.Info, bool) {
	news, stop := p.agent.Watch()
	snap := <-news
	stop()
	if snap.Me == nil {
		return sealed.Info{}, false
	}
	info := sealed.Info{Call: call, Account: snap.Me.Account, Began: time.Now().UTC().Truncate(time.Microsecond)}
	for _, c := range snap.Calls {
		if c.ID == call {
			info.Inbound, info.Peer, info.Queue = c.Inbound, c.Number, c.Queue
		}
	}
	return info, true
}

// consent lets both sides hear that recording begins, and returns when they have. A line that we cannot speak on is offered another
// codec first.
func (p *phone) consent(ctx context.Context, call string) error {
	offer, needed, err := p.sound.MixOffer(call)
	if err == nil && needed {
		limited, cancel := context.WithTimeout(ctx, reofferMax)
		defer cancel()
		err = p.reoffered(limited, call, offer)
	}
	if err != nil {
		return err
	}
	select { // what an earlier one left
	case <-p.kept.tone:
	default:
	}
	if err := p.sound.Announce(call, &beeps{}, true); err != nil {
		return err
	}
	late := time.NewTimer(consentToneMost)
	defer late.Stop()
	for {
		select {
		case line := <-p.kept.tone:
			if line == call {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return errors.New("the line does not take it")
		}
	}
}

// played: a source has ended on a line; perhaps it was the tone that somebody waits for.
func (r *recordings) played(line string) {
	select {
	case r.tone <- line:
	default:
	}
}

// room says whether there is still room for recordings.
func (r *recordings) room() error {
	var size int64
	for _, f := range r.files() {
		if info, err := f.Info(); err == nil {
			size += info.Size()
		}
	}
	if size < recordingsMost {
		return nil
	}
	return wire.Problem{Code: wire.ProblemRecordFull, Holes: map[string]string{"size": fmt.Sprintf("%.1f GB", float64(size)/1e9)}}
}

// create makes the file of a recording that begins now.
func (r *recordings) create(info sealed.Info, key []byte) (*recording, error) {
	if err := os.MkdirAll(r.dir, recordingsFolder); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	info.ID = info.Began.Format("20060102") + "-" + rand.Text()
	file, err := sealed.Create(r.path(info.ID), key, info)
	if err != nil {
		return nil, err
	}
	rec := &recording{id: info.ID, file: file}
	r.open[info.Call], r.past[info.Call], r.state[info.Call] = rec, info.ID, wire.RecordingOn
	return rec, nil
}

func (r *recordings) path(id string) string { return filepath.Join(r.dir, id+recordingSuffix) }

// drop takes back a recording that never began.
func (r *recordings) drop(call string, rec *recording) {
	r.mu.Lock()
	delete(r.open, call)
	delete(r.past, call)
	delete(r.state, call)
	r.mu.Unlock()
	_, _ = rec.file.Close(), os.Remove(r.path(rec.id))
}

// now is what the recording of a call is at.
func (r *recordings) now(call string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch rec := r.open[call]; {
	case rec == nil:
		return r.state[call]
	case rec.paused:
		return wire.RecordingPaused
	}
	return wire.RecordingOn
}

// card tells that a recording pauses while a card number is said; the sound does it.
func (p *phone) cardRecording(call string, on bool) {
	r := p.kept
	r.mu.Lock()
	rec := r.open[call]
	if rec != nil {
		rec.paused = on
	}
	r.mu.Unlock()
	if rec != nil {
		p.tellRecording(agent.Recording{Call: call, State: r.now(call)})
	}
}

// recorded: a recording has ended, or broke. What there is of it goes to the center.
func (p *phone) recorded(e media.Recorded) {
	r := p.kept
	r.mu.Lock()
	rec := r.open[e.Line]
	delete(r.open, e.Line)
	if rec != nil {
		r.state[e.Line] = wire.RecordingKept
	}
	r.mu.Unlock()
	if rec == nil {
		return
	}
	err := errors.Join(e.Err, rec.file.Close())
	news := agent.Recording{Call: e.Line, State: wire.RecordingKept}
	if err != nil {
		p.log.Error("recording broke", "call", e.Line, "recording", rec.id, "err", err)
		news.Problem = recordProblem(err)
	}
	p.tellRecording(news)
	r.look()
}

// beeps are the tone that tells both sides that recording begins: 1400 Hz, twice a fifth of a second.
type beeps struct{ frame int }

func (b *beeps) Next(pcm []int16) bool {
	const length, gap = 10, 10 // frames of 20 ms
	if b.frame >= 2*length+gap {
		return false
	}
	clear(pcm)
	if b.frame < length || b.frame >= length+gap {
		for i := range pcm {
			pcm[i] = beep[(b.frame*len(pcm)+i)%len(beep)]
		}
	}
	b.frame++
	return true
}

// beep is seven periods of 1400 Hz at 8 kHz, at -16 dBm0.
var beep = func() (t [40]int16) {
	for i := range t {
		t[i] = int16(4500 * math.Sin(2*math.Pi*1400*float64(i)/8000))
	}
	return t
}()
