package exchange

import "strconv"

// whyNobody: every agent is busy; it is told beside a calendar's closed and holiday, and empty, full, late and restart.
const whyNobody = "nobody free"

// reasonFor is the Reason header of a refusal (RFC 3326, RFC 6432): the cause that belongs to the code (RFC 3398 §8.2.6.1), and in one
// word why, for the phone's page and a gateway's log.
func reasonFor(code int, why string) []string {
	cause := map[int]int{480: 18, 486: 17, 503: 41}[code]
	if cause == 0 || why == "" {
		return nil
	}
	return []string{"Reason", "Q.850;cause=" + strconv.Itoa(cause) + `;text="` + why + `"`}
}
