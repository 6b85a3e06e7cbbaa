package report

import (
	"strconv"

	"zaseki/cmd/center/roster"
)

// Sound is how a call sounded, in its worse direction, as the agent's phone measured it.
type Sound struct {
	MOS    float64 `json:"mos"`    // 1 to 4.5 (ITU-T G.107)
	Loss   float64 `json:"loss"`   // percent
	Jitter float64 `json:"jitter"` // milliseconds
	Delay  float64 `json:"delay"`  // milliseconds
}

// cells are empty where nothing was measured.
func (s *Sound) cells() []string {
	if s == nil {
		return []string{"", "", "", ""}
	}
	number := func(f float64, digits int) string { return strconv.FormatFloat(f, 'f', digits, 64) }
	return []string{number(s.MOS, 2), number(s.Loss, 1), number(s.Jitter, 0), number(s.Delay, 0)}
}

// sound keeps what an agent's event says of the call that it ended.
func (p *projector) sound(account string, s *roster.Sound) error {
	if s == nil {
		return nil
	}
	return p.exec("INSERT INTO sound (account, peer, ended, mos, loss, jitter, delay) VALUES (?,?,?,?,?,?,?)",
		account, s.Peer, s.Ended.UnixMicro(), s.MOS, s.Loss, s.Jitter, s.Delay)
}

// soundOf finds the sound of a call: the phone knows it by another name than the exchange, so it is the one of the same agent
// that ended within ten seconds of it, with the same number at the other end rather than another.
const soundOf = `(SELECT s.rowid FROM sound s WHERE s.account = call.account AND call.answered IS NOT NULL
	AND s.ended BETWEEN call.ended - 10000000 AND call.ended + 10000000
	ORDER BY s.peer NOT IN (call.caller, call.called, call.callee), abs(s.ended - call.ended) LIMIT 1)`
