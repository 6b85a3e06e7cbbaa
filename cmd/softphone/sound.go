package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"zaseki/media"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// tellSound turns news of the sound into events of the agent.
func (p *phone) tellSound(e media.Event) {
	switch e := e.(type) {
	case media.PageLive:
		p.agent.Post(agent.SoundLive{On: e.Live, Way: e.Way})
		if e.Live && e.Way == "websocket" {
			p.jobs.Go(p.encodable)
		}
	case media.Gone:
		p.pageGone(e.Back)
	case media.MutedTalk:
		p.agent.Post(agent.MutedTalk{On: e.On})
	case media.WayLost:
		p.jobs.Go(func() { p.wayLost(e.Line) })
	case media.LineSilent:
		p.agent.Post(agent.LineSilent{Call: e.Line, On: e.Silent})
	case media.Unheard:
		p.agent.Post(agent.Unheard{Call: e.Line, On: e.On})
	case media.Still:
		p.agent.Post(agent.Still{Call: e.Line, On: e.On})
	case media.Replaying:
		p.agent.Post(agent.Replaying{Call: e.Line, On: e.On})
	case media.Measured:
		p.journal.measured(e.Line, e.Quality.MOS, time.Now())
		p.agent.Post(agent.Measured{Call: e.Line, Quality: quality(e.Quality)})
	case media.Secured:
		p.secured(e)
	case media.Played:
		p.kept.played(e.Line)
	case media.Recorded:
		p.jobs.Go(func() { p.recorded(e) })
	case media.Digit:
		p.digitHeard(e.Line, e.Digit)
	}
}

// digitHeard: which digit it was stands nowhere but in the snapshot, for it may be of a card number.
func (p *phone) digitHeard(call, digit string) {
	p.journal.note(call, "phone", "digit received")
	p.agent.Post(agent.DigitHeard{Call: call, Digit: digit})
}

// pageGone notes in every call that no page carries its sound, or that one does again.
func (p *phone) pageGone(back bool) {
	for _, call := range p.legs() {
		p.journal.note(call, "sound", onOff(back, "a page carries the sound again", "no page carries the sound"))
	}
	p.log.Info("page sound", "back", back)
	p.agent.Post(agent.SoundGone{Back: back})
}

// tellRecording tells what a recording is at, in the call's timeline too.
func (p *phone) tellRecording(e agent.Recording) {
	title := map[string]string{wire.RecordingOn: "recording", wire.RecordingPaused: "recording paused",
		wire.RecordingKept: "recording over", wire.RecordingSent: "recording handed over"}[e.State]
	if e.Problem.Code != "" {
		title = "recording broke"
		p.log.Warn("recording", "call", e.Call, "err", e.Problem)
	}
	if title != "" {
		p.journal.note(e.Call, "sound", title)
	}
	p.agent.Post(e)
}

// quality is what the sound measured, in the words of faces.
func quality(q media.Quality) wire.Quality {
	flow := func(f media.QualityFlow) wire.QualityFlow {
		return wire.QualityFlow{Known: f.Known, MOS: f.MOS, Loss: f.Loss, Jitter: milliseconds(f.Jitter), Concealed: f.Concealed}
	}
	return wire.Quality{MOS: q.MOS, In: flow(q.In), Out: flow(q.Out), RTT: milliseconds(q.RTT), Delay: milliseconds(q.Delay), Trend: q.Trend}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// soundEffect carries out what the agent wants of the sound.
func (p *phone) soundEffect(ctx context.Context, e agent.Effect) {
	switch e := e.(type) {
	case agent.Mix:
		p.mix(ctx, e)
	case agent.Attend:
		p.attend(e)
	case agent.Focus:
		p.sound.Focus(e.Call)
	case agent.Mute:
		p.sound.Mute(e.On)
	case agent.Echo:
		p.sound.EchoPage(e.On)
	case agent.Replay:
		p.note("replay", p.sound.Replay(e.Call, e.On))
	case agent.Card:
		p.note("card mode", p.sound.Card(e.Call, e.On))
		p.cardRecording(e.Call, e.On)
	}
}

// over puts a call that ends into the log and its timeline, with how it sounded.
func (p *phone) over(e agent.Forget) {
	if e.Result == "" {
		return // it never came to be a call
	}
	line := []any{"call", e.Call, "result", e.Result, "took", e.Took.Round(time.Millisecond)}
	if q := e.Quality; q != nil {
		worst := worse(*q)
		line = append(line, "mos", round(q.MOS), "loss", round(worst.Loss), "jitter", round(worst.Jitter))
		p.journal.note(e.Call, "sound", fmt.Sprintf("sounded: MOS %.1f, %.1f %%, %.0f ms", q.MOS, worst.Loss, worst.Jitter))
	}
	p.log.Info("call over", line...)
}

// worse is the direction that was heard worse, as far as it is known.
func worse(q wire.Quality) wire.QualityFlow {
	if q.Out.Known && (!q.In.Known || q.Out.MOS < q.In.MOS) {
		return q.Out
	}
	return q.In
}

// round keeps what is worth reading of a figure: two places.
func round(v float64) float64 { return math.Round(v*100) / 100 }

// pageSound is the engine as the panel sees it.
type pageSound struct{ *media.Engine }

// Orders carries the engine's orders over in the panel's words, newest wins.
func (s pageSound) Orders(page string) (<-chan wire.SoundOrder, func()) {
	from, stop := s.Engine.Orders(page)
	to := make(chan wire.SoundOrder, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for o := range from {
			select {
			case <-to:
			default:
			}
			to <- wire.SoundOrder{Owner: o.Owner, Taken: o.Taken, Codec: o.Codec, Live: o.Live, Restart: o.Restart, Renew: o.Renew, Mic: o.Mic}
		}
	}()
	return to, func() { stop(); <-done }
}

// Stats takes what a page measured.
func (s pageSound) Stats(page string, m wire.SoundStats) {
	s.SetStats(page, media.PageStats{Concealed: m.Concealed, Buffer: m.Buffer, Playout: m.Playout, Level: m.Level})
}
