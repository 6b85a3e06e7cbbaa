package admin

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"zaseki/cmd/center/report"
	"zaseki/cmd/center/vault"
	"zaseki/web/wire"
)

// others are the routes of the center's other rooms.
func others() []Route {
	mine := []Param{{"from", "RFC 3339 or a date in tz; default today, for the own past 90 days ago"}, {"to", "likewise; default now"}, {"tz", "IANA name; default UTC"},
		{"limit", "1 to 10000 rows; default 10000"}, {"cursor", "next of the answer before: what is left"}}
	period := func(more ...Param) []Param {
		return slices.Concat(mine, []Param{{"format", "csv: a table, of all rows unless limit is there"}}, more)
	}
	account, queue, caller := Param{"account", "of one only"}, Param{"queue", "of one only"}, Param{"caller", "of one only"}
	floor := Param{"floor", "one only; default all"}
	staff := []string{administrator, supervisor}
	phone := func(method, path, summary string, in, out reflect.Type) Route {
		r := Route{Method: method, Path: "/api/v1/" + path, Summary: summary, In: in, Out: out}
		if out == nil {
			r.Code = http.StatusNoContent
		}
		return r
	}
	session := func(r Route) Route {
		r.Bearer = true
		return r
	}
	return []Route{
		phone("POST", "check", "Step one of a phone's sign-in: account and password", body[wire.CheckRequest](), body[wire.Checked]()),
		phone("POST", "code", "The code that was missing besides the password", body[wire.CodeRequest](), body[wire.Checked]()),
		phone("POST", "mail", "Have that code sent by mail", body[wire.MailRequest](), nil),
		phone("GET", "oidc", "Whether and how a person can sign in elsewhere; 404: not", nil, body[wire.SingleSignOn]()),
		phone("GET", "profile", "The generation of behaviour that the center asks of its phones", nil, body[wire.Profile]()),
		phone("POST", "handoff", "The code that single sign-on gave a phone", body[wire.Handoff](), body[wire.Checked]()),
		{Method: "GET", Path: "/auth/oidc/start", Summary: "To the provider of single sign-on", Query: []Param{{"handoff", "base64url(SHA-256(verifier)) of a phone; none: these pages"}, {"port", "loopback port of the phone"}}, Code: http.StatusFound},
		{Method: "GET", Path: "/auth/oidc/callback", Summary: "Back from it", Query: []Param{{"code", "of the provider"}, {"state", "ours"}, {"error", "of the provider"}}, Code: http.StatusFound},
		phone("POST", "signin", "Step two: terminal, status, seat", body[wire.SignInRequest](), body[wire.Welcome]()),
		phone("POST", "resume", "New tokens for a phone that was away", body[wire.ResumeRequest](), body[wire.Welcome]()),
		session(phone("POST", "signout", "End the phone's session", nil, nil)),
		session(phone("GET", "factor", "What the account has set up as second factor", nil, body[wire.FactorState]())),
		phone("POST", "factor/start", "A new authenticator, or a code by mail; by ticket or session", body[wire.FactorRequest](), body[wire.FactorStart]()),
		phone("POST", "factor/confirm", "A code of it: from now on it counts", body[wire.FactorRequest](), body[wire.FactorCodes]()),
		session(phone("POST", "factor/off", "Turn the second factor off, with a code of it", body[wire.FactorRequest](), nil)),
		session(phone("POST", "factor/codes", "Ten new recovery codes, with a code; the old ones count no more", body[wire.FactorRequest](), body[wire.FactorCodes]())),
		session(phone("POST", "factor/forget", "Trust a device no more", body[wire.FactorForget](), nil)),
		session(phone("POST", "password", "A new password; the account's other sessions end", body[wire.PasswordRequest](), nil)),
		session(phone("GET", "phonebook", "The shared phonebook; its revision is the ETag, If-None-Match is answered with 304", nil, body[wire.Phonebook]())),
		session(Route{Method: "GET", Path: "/api/v1/ws", Summary: "The phone's websocket, subprotocol center.v1", Code: http.StatusSwitchingProtocols}),
		session(Route{Method: "HEAD", Path: "/api/v1/recordings/{id}", Summary: "How much of a recording the center has"}),
		session(Route{Method: "PUT", Path: "/api/v1/recordings/{id}", Summary: "Hand a sealed recording over", Code: http.StatusNoContent}),
		{Method: "GET", Path: "/api/v1/recordings/{id}", Summary: "A recording, agent left, caller right: for staff, and for the agent who may", Media: "audio/wav"},
		{Method: "GET", Path: "/api/v1/recordings", Summary: "The recordings of a day that one may hear", Query: []Param{{"day", "YYYY-MM-DD"}, {"account", "of one only"}}, Out: body[[]vault.Row]()},
		{Method: "GET", Path: "/api/v1/reports/status-time", Roles: staff, Summary: "Time in each status by account", Query: period(account, Param{"status", "one only"}), Out: body[report.Page[report.StatusRow]]()},
		{Method: "GET", Path: "/api/v1/reports/activity", Roles: staff, Summary: "Every status from its beginning to its end, the newest first", Query: period(account, Param{"status", "one only"}), Out: body[report.Page[report.ActivityRow]]()},
		{Method: "GET", Path: "/api/v1/reports/calls", Roles: staff, Summary: "Calls, the newest first", Query: period(account, queue, caller, Param{"result", "answered, missed, cancelled, voice, refused"}, Param{"direction", "in, out, inside"}, Param{"outcome", "of one only"}), Out: body[report.Page[report.CallRow]]()},
		{Method: "GET", Path: "/api/v1/reports/missed", Roles: staff, Summary: "Missed calls with their reasons, the newest first", Query: period(account, queue, caller, Param{"reason", "left, nobody, unanswered, declined, silent, unreached, refused, busy, closed, holiday, empty, full, late"}), Out: body[report.Page[report.MissedRow]]()},
		{Method: "GET", Path: "/api/v1/reports/queues", Roles: staff, Summary: "Calls of queues by half hour, hour or day", Query: period(queue, Param{"by", "half (hours), hour (default), day, total"}, Param{"within", "seconds of the service level; default 20"}), Out: body[report.Page[report.QueueRow]]()},
		{Method: "GET", Path: "/api/v1/reports/outcomes", Roles: staff, Summary: "How calls ended as agents said, by outcome, queue and account", Query: period(account, queue, Param{"outcome", "one only"}), Out: body[report.Page[report.OutcomeRow]]()},
		{Method: "GET", Path: "/api/v1/reports/agents", Roles: staff, Summary: "Days of agents", Query: period(account), Out: body[report.Page[report.AgentRow]]()},
		session(Route{Method: "GET", Path: "/api/v1/reports/mine/calls", Summary: "The agent's own calls, the newest first", Query: mine, Out: body[wire.CallHistory]()}),
		session(Route{Method: "GET", Path: "/api/v1/reports/mine/activity", Summary: "The agent's own statuses, the newest first", Query: mine, Out: body[wire.StatusHistory]()}),
		session(Route{Method: "GET", Path: "/api/v1/reports/mine/day", Summary: "The agent's own day in figures, and why calls were missed", Query: []Param{{"day", "YYYY-MM-DD in the center's zone; default today"}}, Out: body[wire.OwnDay]()}),
		session(Route{Method: "GET", Path: "/api/v1/check", Summary: "The check of the seats, the last or the one that runs: the seats that one may have checked, for staff", Query: []Param{{"format", "csv: a table"}}, Out: body[wire.DawnCheck]()}),
		session(Route{Method: "GET", Path: "/api/v1/why", Summary: "The story of one call: of the own, of those whom one leads, of all for administrators", Query: []Param{{"call", "the center's name for it, or a phone's"}}, Out: body[wire.Timeline]()}),
		session(Route{Method: "GET", Path: "/api/v1/reports/floor", Summary: "The seat view as it was at a moment; seats, statuses and people's names as they are now", Query: []Param{{"at", "RFC 3339"}, floor}, Out: body[wire.Floor]()}),
		session(Route{Method: "GET", Path: "/api/v1/reports/floor/day", Summary: "A day of the seat view by the minute, and when the center was away", Query: []Param{{"day", "YYYY-MM-DD in the center's zone"}, floor}, Out: body[wire.FloorDay]()}),
		{Method: "GET", Path: "/healthz", Summary: "The process lives", Media: "text/plain"},
		{Method: "GET", Path: "/readyz", Summary: "The center works: its rooms run and the log answers", Media: "text/plain"},
		{Method: "GET", Path: "/metrics", Summary: "Figures in the text format of Prometheus", Media: "text/plain"},
	}
}

// Document is the whole API of the center (OpenAPI 3.1).
func (a *Admin) Document() map[string]any {
	s := &schemas{named: object{}}
	refused := s.of(body[refusal]())
	paths := object{}
	for _, r := range append(others(), a.routes...) {
		at, ok := paths[r.Path].(object)
		if !ok {
			at = object{}
			paths[r.Path] = at
		}
		at[strings.ToLower(r.Method)] = r.operation(s, refused)
	}
	return object{
		"openapi": "3.1.0",
		"info": object{"title": "Zaseki center", "version": a.cfg.Version, "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "Rows carry a revision: send it as If-Match, and a change is refused with 412 when somebody was faster. Refusals hold a code with its holes, or faults by field."},
		"paths": paths,
		"components": object{"schemas": s.named, "securitySchemes": object{
			"page":     object{"type": "apiKey", "in": "cookie", "name": a.cookie("center"), "description": "session of an administrator or supervisor"},
			"operator": object{"type": "http", "scheme": "bearer", "description": "the command line on the center's machine (center.run in its data folder)"},
			"phone":    object{"type": "http", "scheme": "bearer", "description": "a phone's session token"},
		}},
	}
}

func (r Route) operation(s *schemas, refused object) object {
	op := object{"summary": r.Summary, "operationId": strings.ToLower(r.Method) + strings.NewReplacer("/api/v1", "", "/", "-", "{", "", "}", "").Replace(r.Path)}
	var params []any
	for _, part := range strings.Split(r.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params = append(params, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	for _, q := range r.Query {
		params = append(params, object{"name": q.Name, "in": "query", "description": q.Meaning, "schema": object{"type": "string"}})
	}
	if params != nil {
		op["parameters"] = params
	}
	if r.In != nil {
		op["requestBody"] = object{"required": true, "content": jsonOf(s.of(r.In))}
	}
	switch {
	case r.Roles != nil:
		op["description"] = "For: " + strings.Join(r.Roles, ", ") + "."
		op["security"] = []any{object{"page": []any{}}, object{"operator": []any{}}}
	case r.Bearer:
		op["security"] = []any{object{"phone": []any{}}}
	}
	good := object{"description": "Done"}
	switch {
	case r.Out != nil:
		good["content"] = jsonOf(s.of(r.Out))
	case r.Media != "":
		good["content"] = object{r.Media: object{}}
	}
	op["responses"] = object{strconv.Itoa(r.code()): good, "default": object{"description": "Refused", "content": jsonOf(refused)}}
	return op
}

func (r Route) code() int {
	if r.Code == 0 {
		return http.StatusOK
	}
	return r.Code
}

func jsonOf(schema object) object { return object{"application/json": object{"schema": schema}} }

func (a *Admin) openapi(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, a.Document())
}
