package roster

import (
	"errors"
	"math"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/exchange/voice"
	"zaseki/sip/dialog"
	"zaseki/web/wire"
)

// found is what a call to a seat and the phone's word of it come to. secret: the terminal is only served encrypted.
func found(got exchange.Checked, err error, said *wire.CheckReport, secret bool) wire.SeatCheck {
	f := wire.SeatCheck{Ring: whole(got.Ring)}
	why, refused := "", (*dialog.Refused)(nil)
	if said != nil {
		why = said.Why
	}
	switch {
	case why == wire.ProblemCheckBusy, errors.As(err, &refused) && refused.Code == 486:
		f.State, f.Why = wire.CheckBusy, wire.ProblemCheckBusy
	case errors.Is(err, exchange.ErrNoPhone):
		f.State, f.Why = wire.CheckAbsent, wire.ProblemCheckAway
	case errors.Is(err, exchange.ErrUnanswered):
		f.State, f.Why = wire.CheckFailed, or(why, wire.ProblemCheckUnanswered)
	case errors.Is(err, voice.ErrUnheard):
		f.State, f.Why = wire.CheckFailed, wire.ProblemCallMedia
	case err != nil:
		f.State, f.Why = wire.CheckFailed, or(why, wire.ProblemCheckRefused)
	default:
		measured(&f, got, said)
		judge(&f, said, secret)
	}
	return f
}

// measured are the figures. What is lost there is missing in the numbers that come back, too: the phone returns packets as they come.
func measured(f *wire.SeatCheck, got exchange.Checked, said *wire.CheckReport) {
	there := 0
	jitter := milliseconds(got.Jitter)
	if said != nil {
		there = said.Lost
		f.LossThere, f.Missing, jitter = share(said.Lost, said.Received), said.Missing, max(jitter, said.Jitter)
	}
	f.LossBack = share(max(got.Lost-there, 0), got.Received)
	f.Delay, f.Jitter, f.Heard, f.Secure = whole(got.Delay), tenth(jitter), got.Heard, got.Secure
}

// judge says what the figures are worth.
func judge(f *wire.SeatCheck, said *wire.CheckReport, secret bool) {
	weak := ""
	switch {
	case said == nil:
		weak = wire.ProblemCheckPhone
	case f.LossThere >= wire.CheckLoss || f.LossBack >= wire.CheckLoss:
		weak = wire.ProblemCheckLoss
	case f.Delay >= wire.CheckDelay:
		weak = wire.ProblemCheckDelay
	case f.Jitter >= wire.CheckJitter:
		weak = wire.ProblemCheckJitter
	case len(f.Missing) > 0:
		weak = wire.ProblemCheckMissing
	}
	switch {
	case secret && !f.Secure:
		f.State, f.Why = wire.CheckFailed, wire.ProblemCallSecure
	case !f.Heard:
		f.State, f.Why = wire.CheckFailed, wire.ProblemCheckUnheard
	case weak != "":
		f.State, f.Why = wire.CheckWeak, weak
	default:
		f.State = wire.CheckOK
	}
}

// share is how much was lost, percent; where nothing came all was.
func share(lost, came int) float64 {
	if came <= 0 {
		return 100
	}
	return tenth(100 * float64(lost) / float64(lost+came))
}

// whole milliseconds, rounded up: what was measured is never nothing.
func whole(d time.Duration) int { return int(math.Ceil(milliseconds(d))) }

func tenth(v float64) float64 { return math.Round(10*v) / 10 }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// plausible is a phone's report as far as it can be true: what it names ends on other people's pages.
func plausible(m wire.CheckReport) wire.CheckReport {
	const packets = 100_000
	m.Received, m.Lost = min(max(m.Received, 0), packets), min(max(m.Lost, 0), packets)
	m.Jitter = within(m.Jitter, 0, 10_000)
	m.Missing = tidy(m.Missing)
	if len(m.Why) > 40 || !problemCode.MatchString(m.Why) {
		m.Why = ""
	}
	return m
}
