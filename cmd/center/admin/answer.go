package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/static"
	"zaseki/web/guard"
	"zaseki/web/wire"
)

// refusal is an error of the API: a problem for people, or faults by field, or a sentence for whoever wrote the request.
type refusal struct {
	*wire.Problem
	Error  string  `json:"error,omitempty"`
	Faults []fault `json:"faults,omitempty"`
}

// fault is what is wrong with a field, in the language of whoever asks.
type fault struct {
	List    string `json:"list"`          // of a setup: accounts, …; site
	Row     int    `json:"row,omitempty"` // in that list, from 0
	Field   string `json:"field"`
	Message string `json:"message"`
}

// read decodes a JSON body; it has answered when it is false.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		write(w, http.StatusBadRequest, refusal{Error: err.Error()})
		return false
	}
	return true
}

// query reads the words of a query, and the reader's language; it has answered when it is false.
func query(w http.ResponseWriter, r *http.Request, words ...string) (url.Values, bool) {
	q, err := guard.Query(r.URL.RawQuery, append(words, "lang")...)
	if err != nil {
		write(w, http.StatusBadRequest, refusal{Error: err.Error()})
		return nil, false
	}
	return q, true
}

// number is one of them; it has answered when it is false.
func number(w http.ResponseWriter, q url.Values, name string, least, most, usual int) (int, bool) {
	v := q.Get(name)
	if v == "" {
		return usual, true
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		write(w, http.StatusBadRequest, refusal{Error: fmt.Sprintf("%s %q is not %d to %d", name, v, least, most)})
		return 0, false
	}
	return n, true
}

// fail answers with what went wrong. What a request has wrong is told; what we have wrong is logged.
func (a *Admin) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p wire.Problem
	faults := roster.Faults(err)
	switch {
	case errors.As(err, &p):
		say(w, statusOf(p), p)
	case len(faults) > 0:
		answer := refusal{Error: err.Error()}
		for _, f := range faults {
			answer.Faults = append(answer.Faults, fault{f.List, max(f.Row, 0), f.Field, sentence(lang(r), f)})
		}
		write(w, http.StatusUnprocessableEntity, answer)
	case errors.Is(err, ledger.ErrUnknown), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		a.log.Error("admin", "path", r.URL.Path, "err", err)
		say(w, http.StatusServiceUnavailable, wire.Problem{Code: wire.ProblemInternal})
	default:
		write(w, http.StatusUnprocessableEntity, refusal{Error: err.Error()})
	}
}

func statusOf(p wire.Problem) int {
	switch p.Code {
	case wire.ProblemStale:
		return http.StatusPreconditionFailed
	case wire.ProblemNoRow:
		return http.StatusNotFound
	case wire.ProblemSignIn, wire.ProblemTicket, wire.ProblemExpired, wire.ProblemInvisible, wire.ProblemFactor, wire.ProblemFactorUsed,
		wire.ProblemFactorClock, wire.ProblemAccountOff, wire.ProblemPasswordOff:
		return http.StatusUnauthorized
	case wire.ProblemPassword, wire.ProblemBook, wire.ProblemBookFull:
		return http.StatusUnprocessableEntity
	case wire.ProblemPhoneSilent:
		return http.StatusGatewayTimeout
	case wire.ProblemForbidden:
		return http.StatusForbidden
	case wire.ProblemLimited:
		return http.StatusTooManyRequests
	case wire.ProblemMail:
		return http.StatusBadGateway
	case wire.ProblemReadOnly, wire.ProblemFactorMail:
		return http.StatusServiceUnavailable
	}
	return http.StatusConflict
}

// said are the sentences for faults, by how the roster says them in English.
var said = map[string]string{
	"%q is not a name of %d to 64 characters":                     "name",
	"%q is not a line of %d to %d characters":                     "line",
	"%q is named twice":                                           "twice",
	"%q is none of %s":                                            "choice",
	"%q is not an extension (7000 to 7999 are queues)":            "extension",
	"there is no account %q":                                      "account",
	"there is no terminal %q":                                     "terminal",
	"there is no floor %q":                                        "floor",
	"there is no group %q":                                        "group",
	"there is no calendar %q":                                     "calendar",
	"there is no queue %q":                                        "queue",
	"%q is not 7000 to 7999":                                      "queue.extension",
	"is missing for a new account":                                "password.missing",
	"%q is %s's already":                                          "taken",
	"%q is not small letters, digits, - and _":                    "id",
	"%q is a standard status":                                     "standard",
	"cannot change while somebody is in the status":               "class",
	"%d, %d is not within 0 to 999":                               "cell",
	"%q is on floor %q already":                                   "seat.floor",
	"%q at %d, %d is outside of %d × %d":                          "outside",
	"is missing":                                                  "missing",
	"%q is not a domain":                                          "domain",
	"%q is not a host or host:port":                               "host",
	"holds no certificate in PEM":                                 "pem",
	"%d is not 0 (for ever) to 36500":                             "days",
	"%d is not 30 to 3600 seconds":                                "range.30.3600",
	"%d is not 0 to 3600":                                         "range.0.3600",
	"%d is not 1 to 3600":                                         "range.1.3600",
	"%d is not 1 to 120":                                          "range.1.120",
	"%d is not 0 to 100":                                          "range.0.100",
	"%d is not 1 to 8":                                            "range.1.8",
	"%q is not a country code without +":                          "country",
	"%q is not up to 8 digits":                                    "prefix",
	"%q is not 2 to 8 digits":                                     "short",
	"%q with %q is not a header and what it contains":             "mark",
	"wss needs an outside server in sip.server":                   "wss",
	"%q is none of %s, or empty for never":                        "choice",
	"%q is not a time zone such as Asia/Tokyo":                    "zone",
	"%q is not a time of the day, such as 07:30":                  "hour",
	"%q is not a mail address":                                    "mail",
	"%d is not 0 to %d":                                           "range",
	"names nobody who may ask":                                    "accept",
	"is not a subject of single sign-on":                          "subject",
	"is missing where to register":                                "register",
	"belongs to a terminal of type trunk":                         "trunk",
	"there is no extension or queue %q":                           "number.to",
	"of %s is not a SHA-256 in hex":                               "hash",
	"%s is none of %s":                                            "choice",
	"%q is not the name of a queue":                               "queue.name",
	"%q is not host:port":                                         "hostport",
	"%q is not an https address (http only on loopback)":          "https",
	"%q for %s is not an https address":                           "https",
	"%q is not a version such as 1.2.3":                           "version",
	"%q is not a number, nor *":                                   "number",
	"%q is not a number":                                          "number",
	"%q is not YYYY-MM-DD":                                        "date",
	"%q is none of ring, answer":                                  "choice.open",
	"%q is none of dialog, mark, get":                             "choice.open",
	"of %s is not an ed25519 signature in base64":                 "sign",
	"of %s is missing: where the file lies":                       "file",
	"has %d characters, not up to %d":                             "notes",
	"%q is no standard status of %s":                              "standard.none",
	"%q is no setting of a phone":                                 "setting",
	"%v cannot be chosen":                                         "setting.value",
	"%q has a brace without its other half":                       "brace",
	"%q has a hole in the name of the server":                     "crm.host",
	"%q is neither an address nor a network such as 192.0.2.0/24": "network",
	"%q is not a web address":                                     "web",
	"belongs to kamailio":                                         "kamailio",
	"belongs to asterisk and kamailio":                            "ca.kind",
	"holds no certificate in PEM, or more than 64 KiB":            "pem",
	"needs an address with TLS: tls://host:port of Asterisk, https://… of Kamailio": "ca.plain",
	"%q is everybody": "everybody",
	"%q has characters that cannot stand there": "signs",
	"%q cannot stand in an address":             "address",
	"%d of %q is not 1 to 9":                    "level",
	"%d is not 0 to 86400":                      "range.0.86400",
	"%d is not 0 (no limit) to 1440":            "range.0.1440",
	"%d is not 0 (never) to 365":                "range.0.365",
	"%v":                                        "other",
}

// passwordSaid are the roster's sentences about a password.
var passwordSaid = map[string]string{"password has ": "password.length", "password is the account": "password.name",
	"password holds a tab": "password.invisible", "password is one of": "password.common"}

// sentence says a fault to a person.
func sentence(lang string, f roster.Fault) string {
	holes := map[string]string{"text": f.Text()}
	for i, arg := range f.Args {
		holes[string(rune('a'+i))] = fmt.Sprint(arg)
	}
	key := said[f.Format]
	if len(f.Args) > 0 && f.Args[0] == "" {
		key = "missing"
	}
	if key == "other" || key == "" {
		key = "other"
		for part, name := range passwordSaid {
			if strings.Contains(f.Text(), part) {
				key = name
			}
		}
	}
	return static.Say(lang, "admin.fault."+key, holes)
}

func say(w http.ResponseWriter, code int, p wire.Problem) {
	if s := p.Holes["seconds"]; code == http.StatusTooManyRequests && s != "" {
		w.Header().Set("Retry-After", s)
	}
	write(w, code, refusal{Problem: &p})
}

func write(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) // the reader may have gone
}
