package roster

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/exchange/voice"
	"zaseki/sip/dialog"
	"zaseki/web/wire"
)

func TestWhatTheFiguresAreWorth(t *testing.T) {
	with := func(change func(*exchange.Checked)) exchange.Checked {
		got := fine
		change(&got)
		return got
	}
	good := &wire.CheckReport{Received: 150, Jitter: 3}
	for name, row := range map[string]struct {
		got    exchange.Checked
		err    error
		said   *wire.CheckReport
		secret bool
		want   string
	}{
		"well":             {fine, nil, good, false, "ok "},
		"lost there":       {with(func(g *exchange.Checked) { g.Received, g.Lost = 143, 7 }), nil, &wire.CheckReport{Received: 143, Lost: 7}, false, "weak check.loss 4.7 0"},
		"lost back":        {with(func(g *exchange.Checked) { g.Received, g.Lost = 143, 7 }), nil, good, false, "weak check.loss 0 4.7"},
		"slow":             {with(func(g *exchange.Checked) { g.Delay = 300 * time.Millisecond }), nil, good, false, "weak check.delay"},
		"uneven there":     {fine, nil, &wire.CheckReport{Received: 150, Jitter: 30}, false, "weak check.jitter"},
		"uneven back":      {with(func(g *exchange.Checked) { g.Jitter = 31 * time.Millisecond }), nil, good, false, "weak check.jitter"},
		"no microphone":    {fine, nil, &wire.CheckReport{Received: 150, Missing: []string{"mic"}}, false, "weak check.missing"},
		"an old phone":     {fine, nil, nil, false, "weak check.phone"},
		"silence":          {with(func(g *exchange.Checked) { g.Heard = false }), nil, good, false, "failed check.unheard"},
		"nothing arrived":  {with(func(g *exchange.Checked) { g.Heard = false }), nil, &wire.CheckReport{}, false, "failed check.unheard 100 0"},
		"in the clear":     {fine, nil, good, true, "failed call.insecure"},
		"encrypted":        {with(func(g *exchange.Checked) { g.Secure = true }), nil, good, true, "ok "},
		"not registered":   {exchange.Checked{}, exchange.ErrNoPhone, nil, false, "absent check.away"},
		"no answer":        {exchange.Checked{}, exchange.ErrUnanswered, nil, false, "failed check.unanswered"},
		"refused":          {exchange.Checked{}, &dialog.Refused{Code: 403}, nil, false, "failed check.refused"},
		"refused with why": {exchange.Checked{}, &dialog.Refused{Code: 480}, &wire.CheckReport{Why: wire.ProblemMemory}, false, "failed phone.memory"},
		"busy":             {exchange.Checked{}, &dialog.Refused{Code: 486}, nil, false, "busy check.busy"},
		"left for a call":  {fine, exchange.ErrLeft, &wire.CheckReport{Received: 20, Why: wire.ProblemCheckBusy}, false, "busy check.busy"},
		"no common codec":  {exchange.Checked{}, voice.ErrUnheard, nil, false, "failed call.media"},
	} {
		f := found(row.got, row.err, row.said, row.secret)
		got := f.State + " " + f.Why
		if f.LossThere > 0 || f.LossBack > 0 {
			got += " " + strconv.FormatFloat(f.LossThere, 'f', -1, 64) + " " + strconv.FormatFloat(f.LossBack, 'f', -1, 64)
		}
		if got != row.want {
			t.Errorf("%s: %s, not %s", name, got, row.want)
		}
	}
	odd := plausible(wire.CheckReport{Received: -1, Lost: 1 << 40, Jitter: 1e9, Missing: []string{"mic", "mic", "A B"}, Why: "<script>"})
	if text, _ := json.Marshal(odd); string(text) != `{"id":"","received":0,"lost":100000,"jitter":10000,"missing":["mic"]}` {
		t.Errorf("%s", text)
	}
}
