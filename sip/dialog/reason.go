package dialog

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// clearing is the cause of a call that ended as calls do.
const clearing = 16

// causeOf is the Q.850 cause of a SIP status (RFC 3398 §8.2.6.1), 0 for one that has none.
func causeOf(code int) int {
	switch code {
	case 200, 487:
		return clearing
	case 404, 485, 604:
		return 1 // no route: unallocated number
	case 486, 600:
		return 17 // user busy
	case 480:
		return 18 // no user responding
	case 408, 504:
		return 102 // recovery on timer expiry
	case 401, 402, 403, 407, 603:
		return 21 // call rejected
	case 410:
		return 22 // number changed
	case 482, 483:
		return 25 // exchange routing error
	case 484:
		return 28 // invalid number format
	case 502:
		return 38 // network out of order
	case 400, 481, 500, 503:
		return 41 // temporary failure
	case 488, 606:
		return 65 // bearer capability not implemented
	case 405:
		return 63 // service or option not available
	case 406, 415, 501:
		return 79 // service or option not implemented
	}
	if code >= 400 {
		return 127 // interworking
	}
	return 0
}

// withReason adds the Reason header of an ending that has none (RFC 3326, RFC 6432).
func withReason(headers []string, code int) []string {
	for i := 0; i+1 < len(headers); i += 2 {
		if strings.EqualFold(headers[i], "Reason") {
			return headers
		}
	}
	cause := causeOf(code)
	if cause == 0 {
		return headers
	}
	return append(append([]string(nil), headers...), "Reason", "Q.850;cause="+strconv.Itoa(cause))
}

// reasons reads Reason headers (RFC 3326).
func reasons(msg sip.Message) (sipCause, q850 int, text string) {
	for _, header := range stack.Headers(msg, "Reason") {
		for _, value := range stack.Values(header) {
			protocol, params := stack.Params(value)
			cause, _ := strconv.Atoi(params["cause"])
			switch strings.ToLower(protocol) {
			case "sip":
				sipCause = cause
			case "q.850":
				q850 = cause
			}
			if params["text"] != "" {
				text = params["text"]
			}
		}
	}
	return sipCause, q850, text
}

// caused fills in why a call ended where nobody said so.
func caused(e Event) Event {
	switch e := e.(type) {
	case Failed:
		if e.Cause == 0 && e.Response != nil {
			_, e.Cause, _ = reasons(e.Response)
		}
		if e.Cause == 0 {
			e.Cause = causeOf(e.Code)
		}
		return e
	case Ended:
		if e.Cause == 0 {
			e.Cause = causeOf(e.Code)
		}
		return e
	}
	return e
}
