package admin

import (
	"net/http"
	"reflect"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// Route is a route of the center with its description. Every answer but that of Code is a refusal.
type Route struct {
	Method, Path string
	Roles        []string // who may; nil: no session of the administration is asked for
	Summary      string
	Query        []Param
	In, Out      reflect.Type // JSON bodies; nil: none
	Media        string       // of an answer that is no JSON
	Code         int          // of success; 0: 200
	Bearer       bool         // a phone's session token is asked for

	handle http.HandlerFunc
}

// Param is something in the query.
type Param struct{ Name, Meaning string }

const base = "/api/v1/admin"

func body[T any]() reflect.Type { return reflect.TypeFor[T]() }

// table is the API of the administration.
func (a *Admin) table() []Route {
	admins, staff := []string{administrator}, []string{administrator, supervisor}
	all := []Route{
		{Method: "GET", Path: base + "/session", Roles: staff, Summary: "Who is signed in at this page", Out: body[Me](), handle: a.me},
		{Method: "POST", Path: base + "/session", Summary: "Sign in with account and password; need says what is missing besides", In: body[Credentials](), Out: body[SignedIn](), handle: a.signIn},
		{Method: "DELETE", Path: base + "/session", Summary: "Sign out", Code: http.StatusNoContent, handle: a.signOut},
		{Method: "POST", Path: base + "/session/sso", Summary: "Sign in with what the provider of single sign-on led to /admin/sso with", In: body[SignOn](), Out: body[SignedIn](), handle: a.signOn},
		{Method: "POST", Path: base + "/session/code", Summary: "The code that was missing", In: body[wire.CodeRequest](), Out: body[SignedIn](), handle: a.code},
		{Method: "POST", Path: base + "/session/mail", Summary: "Have a code sent by mail", In: body[wire.MailRequest](), Code: http.StatusNoContent, handle: a.mail},
		{Method: "POST", Path: base + "/session/factor", Summary: "Begin to set up a second factor that is demanded", In: body[wire.FactorRequest](), Out: body[wire.FactorStart](), handle: a.factorStart},
		{Method: "POST", Path: base + "/session/factor/confirm", Summary: "A code of it: from now on it counts, and one is signed in", In: body[wire.FactorRequest](), Out: body[SignedIn](), handle: a.factorConfirm},

		{Method: "GET", Path: base + "/overview", Roles: staff, Summary: "The center as it is now", Query: []Param{{"brief", "1: without lists of accounts, terminals, floors and registrations, and with the first 200 calls and taken seats"}}, Out: body[Overview](), handle: a.overview},
		{Method: "POST", Path: base + "/import", Roles: admins, Summary: "Take over a whole setup; what it does not name stays", In: body[roster.Setup](), Code: http.StatusNoContent, handle: a.importSetup},
		{Method: "GET", Path: base + "/backup", Roles: admins, Summary: "The whole log, one JSON object a line, compressed", Media: "application/zstd", handle: a.backup},
		{Method: "GET", Path: base + "/log", Roles: staff, Summary: "How the log is kept: durability, copies, disk", Out: body[ledger.State](), handle: a.logState},
		{Method: "GET", Path: base + "/health", Roles: admins, Summary: "How trunks, exchanges, nodes, mail and certificates are", Out: body[Health](), handle: a.health},
		{Method: "GET", Path: base + "/warnings", Roles: admins, Summary: "The latest warnings and errors of this node's log, the newest first", Out: body[[]Line](), handle: a.warnings},
		{Method: "GET", Path: base + "/settings", Roles: staff, Summary: "Every setting of a phone that a policy may lock", Out: body[[]wire.Setting](), handle: a.settings},
		{Method: "POST", Path: base + "/mail-test", Roles: admins, Summary: "Send a mail by the saved settings", In: body[MailTo](), Code: http.StatusNoContent, handle: a.testMail},
		{Method: "GET", Path: base + "/audit", Roles: admins, Summary: "Who changed what and when, the newest first", Query: []Param{
			{"from", "RFC 3339 or a date; default 30 days ago"}, {"to", "likewise, a date with all of its day; default now"}, {"actor", "account"}, {"kind", "of the changed row"}, {"id", "of the changed row"},
			{"before", "seq of the last one seen: the next page"}, {"limit", "1 to 1000; default 100"}}, Out: body[[]report.Change](), handle: a.audit},

		{Method: "GET", Path: base + "/site", Roles: admins, Summary: "The center's settings", Out: body[rowOf[roster.SiteRow]](), handle: a.site},
		{Method: "PUT", Path: base + "/site", Roles: admins, Summary: "Change them; what is left out has its default", In: body[roster.Site](), Out: body[rowOf[roster.SiteRow]](), handle: a.putSite},
		{Method: "GET", Path: base + "/versions", Roles: admins, Summary: "The newest phone that can be had", Out: body[Versions](), handle: a.versions},
		{Method: "PUT", Path: base + "/versions", Roles: admins, Summary: "Tell phones of a newest one; null: of none", In: body[Versions](), Out: body[Versions](), handle: a.putVersions},

		{Method: "POST", Path: base + "/accounts/{id}/password", Roles: admins, Summary: "Set a password, or have one made; the account's sessions end", In: body[NewPassword](), Out: body[Password](), handle: a.password},
		{Method: "POST", Path: base + "/accounts/{id}/factor-reset", Roles: admins, Summary: "Take away the second factor", Code: http.StatusNoContent, handle: a.factorReset},
		{Method: "POST", Path: base + "/accounts/{id}/forget-devices", Roles: admins, Summary: "Trust no device of the account any more", Code: http.StatusNoContent, handle: a.forgetDevices},
		{Method: "POST", Path: base + "/accounts/{id}/sign-out", Roles: admins, Summary: "End the account's session at its phone", Code: http.StatusNoContent, handle: a.endSession},
		{Method: "POST", Path: base + "/names", Roles: staff, Summary: "What accounts are called, of those that one sees", In: body[Order](), Out: body[map[string]string](), handle: a.names},
		{Method: "PUT", Path: base + "/statuses", Roles: admins, Summary: "Put the center's own statuses in order", In: body[Order](), Code: http.StatusNoContent, handle: a.sort},
		{Method: "GET", Path: base + "/floors/{id}/map", Roles: staff, Summary: "A floor with all its seats", Out: body[mapRow](), handle: a.floorMap},
		{Method: "PUT", Path: base + "/floors/{id}/map", Roles: admins, Summary: "Make floor and seats what the map says; seats it does not name are removed", In: body[roster.FloorMap](), Out: body[mapRow](), handle: a.putMap},
		{Method: "POST", Path: base + "/policies/preview", Roles: admins, Summary: "Whom a policy would touch", In: body[roster.Policy](), Out: body[[]roster.Touch](), handle: a.preview},
		{Method: "POST", Path: base + "/phonebook/import", Roles: staff, Summary: "Take over contacts of a file (CSV or vCard, UTF-8, UTF-16 or Shift_JIS; may be packed with gzip): a contact of the same number and name is replaced", Query: []Param{
			{"dry", "1: only say what would be"}, {"whole", "1: the phonebook is these contacts and no others"}, {"skip", "1: leave out what is wrong; else nothing is taken over if anything is"},
			{"rev", "of the phonebook that this was decided on"}}, Out: body[BookImport](), handle: a.importBook},
		{Method: "GET", Path: base + "/phonebook/export", Roles: staff, Summary: "The whole phonebook as a file", Query: []Param{{"format", "csv (default), vcf"}}, Media: "text/csv", handle: a.exportBook},
		{Method: "POST", Path: base + "/agents/{id}/hand", Roles: staff, Summary: "Lower the raised hand of an agent", In: body[wire.RaiseHand](), Code: http.StatusNoContent, handle: a.hand},
		{Method: "POST", Path: base + "/accounts/{id}/settings", Roles: admins, Summary: "Ask the phone of whoever is signed in for its settings; nothing is kept of them", Out: body[wire.SettingsReport](), handle: a.capture},
	}
	for _, k := range kinds() {
		all = append(all, k.routes(a, admins, staff)...)
	}
	return append(all, Route{Method: "GET", Path: "/api/v1/openapi.json", Summary: "This description", Media: "application/json", handle: a.openapi})
}
