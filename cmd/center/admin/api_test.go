package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secrets are what no answer may hold.
var secrets = []string{"argon2", "desk-secret-word", "pbx-secret-word", "oidc-secret-word", "mail-secret-word", `"hash"`, `"sealed"`, `"token"`}

const password = "correct horse battery"

func ptr[T any](v T) *T { return &v }

// setup has one of everything, and a secret wherever one can be.
func setup() roster.Setup {
	site := roster.DefaultSite()
	site.Name = "Test Center"
	site.OIDC = roster.SiteOIDC{Issuer: "https://id.example", Client: "center", Secret: "oidc-secret-word"}
	site.Mail = roster.SiteMail{Server: "127.0.0.1:25", From: "center@example.jp", User: "center", Secret: "mail-secret-word"}
	person := func(account, name, role string, groups ...string) roster.AccountSetup {
		return roster.AccountSetup{Account: account, Name: name, Role: role, Groups: groups, Password: password, Agent: ptr(role != "administrator")}
	}
	return roster.Setup{
		Site:   &site,
		Groups: []roster.Group{{ID: "sales", Name: "営業"}, {ID: "help", Name: "Help desk"}},
		Accounts: []roster.AccountSetup{person("boss", "Boss", "administrator"), person("carol", "Carol", "supervisor", "sales"),
			person("alice", "Alice", "agent", "sales"), person("bob", "Bob", "agent", "help")},
		Terminals: []roster.TerminalSetup{{Extension: "2001", Account: "alice"}, {Extension: "2002", Account: "bob"}, {Extension: "2003", Account: "carol"},
			{Extension: "3001", Type: "desk", Name: "Desk", Secret: "desk-secret-word"}},
		Statuses: []wire.StatusDef{{ID: "training", Name: wire.Words{"en": "Training", "ja": "研修中"}, Class: "pause"}},
		Floors:   []roster.FloorSetup{{ID: "1", Name: "1F"}},
		Seats:    []roster.SeatSetup{{ID: "1", Floor: "1"}, {ID: "2", Floor: "1", X: 1}},
		Queues:   []roster.QueueSetup{{Extension: "7000", Name: "代表", Groups: []string{"sales"}, Calendar: "day"}},
		Calendars: []roster.Calendar{{ID: "day", Name: "Day", Hours: []roster.Hours{{Days: "mon,tue", From: "09:00", To: "18:00"}},
			Holidays: []roster.Holiday{{Date: "2027-01-01", Name: "元日"}}}},
		Policies: []roster.Policy{{ID: "p", Name: "Sales", Groups: []string{"sales"}, Set: roster.PolicySet{Record: ptr("always")}}},
		PBXs:     []roster.PBXSetup{{PBX: roster.PBX{ID: "old", Name: "Old", Kind: "asterisk", Addr: "127.0.0.1:5038", User: "zaseki"}, Secret: "pbx-secret-word"}},
		Outcomes: []roster.Outcome{{ID: "sold", Name: wire.Words{"en": "Sold", "ja": "成約"}, Queues: []string{"7000"}}},
		Contacts: []roster.Contact{{ID: "a1", Name: "山田太郎", Number: "0312345678", Reading: "やまだたろう", Company: "山田商事"}},
	}
}

// start is a center; fresh: nobody has set anything.
func start(t *testing.T, fresh bool) *node.Node {
	t.Helper()
	n := run(t, t.TempDir())
	if !fresh {
		if err := n.Apply(t.Context(), setup()); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// run is a center on what the folder holds.
func run(t *testing.T, data string) *node.Node {
	t.Helper()
	n, err := node.New(node.Config{Data: data, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("center ended: %v", err)
		}
	})
	return n
}

// client is a browser without its window.
type client struct {
	t    *testing.T
	base string
	http *http.Client
}

func newClient(t *testing.T, n *node.Node, account, password string) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	c := &client{t, n.HTTP(), &http.Client{Jar: jar, Transport: tr, Timeout: 15 * time.Second}}
	if account != "" {
		c.want(200, "POST", "/api/v1/admin/session", map[string]string{"account": account, "password": password})
	}
	return c
}

// do sends a request; headers are pairs.
func (c *client) do(method, path string, in any, headers ...string) (code int, said string, tag string) {
	c.t.Helper()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			c.t.Fatal(err)
		}
		if raw, ok := in.(string); ok {
			data = []byte(raw)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range secrets {
		if strings.Contains(string(data), s) && !strings.HasSuffix(path, "openapi.json") && !strings.HasSuffix(path, "/backup") {
			c.t.Errorf("%s %s holds %s", method, path, s)
		}
	}
	return res.StatusCode, string(data), res.Header.Get("ETag")
}

func (c *client) want(code int, method, path string, in any, headers ...string) (said, tag string) {
	c.t.Helper()
	got, said, tag := c.do(method, path, in, headers...)
	if got != code {
		c.t.Fatalf("%s %s: %d, want %d: %.600s", method, path, got, code, said)
	}
	return said, tag
}

const api = "/api/v1/admin"

func TestRowsAreReadMadeChangedAndRemoved(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	for path, row := range map[string]struct{ id, add, change string }{
		"accounts":  {"dan", `{"account":"dan","name":"Dan","password":"a long password","groups":["sales"]}`, `{"account":"dan","name":"Dan D","role":"supervisor"}`},
		"terminals": {"2009", `{"extension":"2009"}`, `{"extension":"2009","type":"desk","name":"Hall","secret":"desk-secret-word"}`},
		"statuses":  {"lunch", `{"id":"lunch","name":{"en":"Lunch","ja":"昼休み"},"class":"pause"}`, `{"id":"lunch","name":{"en":"Lunch","ja":"昼食"},"class":"pause","minutes":60}`},
		"floors":    {"2", `{"id":"2","name":"2F"}`, `{"id":"2","name":"Second","width":20,"height":10}`},
		"seats":     {"3", `{"id":"3","floor":"1","x":2,"y":0}`, `{"id":"3","name":"Window","floor":"1","x":3,"y":1}`},
		"groups":    {"night", `{"id":"night","name":"夜間"}`, `{"id":"night","name":"Night"}`},
		"queues":    {"7001", `{"extension":"7001","name":"Second"}`, `{"extension":"7001","name":"Second","agents":["alice"],"levels":{"alice":2},"rules":[{"when":"late","after":60,"do":"queue","to":"7000"}]}`},
		"policies":  {"q", `{"id":"q","name":"Quiet","set":{"tone":false}}`, `{"id":"q","name":"Quiet","accounts":["bob"],"set":{"misses":5}}`},
		"calendars": {"night", `{"id":"night","name":"Night"}`, `{"id":"night","name":"Night","zone":"Asia/Tokyo","hours":[{"days":"sat","from":"18:00","to":"24:00"}]}`},
		"outcomes":  {"call-back", `{"id":"call-back","name":{"en":"Call back","ja":"折り返し"}}`, `{"id":"call-back","name":{"en":"Call back","ja":"要折り返し"},"order":3,"queues":["7000"]}`},
		"contacts":  {"b2", `{"id":"b2","name":"Suzuki","number":"0312349999"}`, `{"id":"b2","name":"鈴木","number":"03-1234-9999","reading":"すずき"}`},
		"pbxs":      {"k", `{"id":"k","name":"Kamailio","kind":"kamailio","addr":"http://127.0.0.1:8090/RPC","secret":"pbx-secret-word"}`, `{"id":"k","name":"K2","kind":"kamailio","addr":"http://127.0.0.1:8090/RPC"}`},
	} {
		t.Run(path, func(t *testing.T) {
			c := *c
			c.t = t
			said, tag := c.want(201, "POST", api+"/"+path, row.add)
			if tag == "" || !strings.Contains(said, `"id":"`+row.id+`"`) {
				t.Fatalf("made: %s %s", tag, said)
			}
			c.want(409, "POST", api+"/"+path, row.add)
			if said, _ := c.want(200, "GET", api+"/"+path, nil); !strings.Contains(said, `"id":"`+row.id+`"`) {
				t.Errorf("the list does not hold it: %s", said)
			}
			_, next := c.want(200, "PUT", api+"/"+path+"/"+row.id, row.change, "If-Match", tag)
			if next == tag {
				t.Error("the revision did not change")
			}
			if said, _ := c.want(412, "PUT", api+"/"+path+"/"+row.id, row.add, "If-Match", tag); !strings.Contains(said, `"code":"row.stale"`) {
				t.Errorf("stale: %s", said)
			}
			c.want(412, "DELETE", api+"/"+path+"/"+row.id, nil, "If-Match", tag)
			c.want(204, "DELETE", api+"/"+path+"/"+row.id, nil, "If-Match", next)
			c.want(404, "GET", api+"/"+path+"/"+row.id, nil)
			c.want(404, "DELETE", api+"/"+path+"/"+row.id, nil)
		})
	}
}

func TestFaultsAreToldByFieldInTheReadersLanguage(t *testing.T) {
	c := newClient(t, start(t, false), "boss", password)
	said, _ := c.want(422, "POST", api+"/queues?lang=ja", `{"extension":"70","name":" x","agents":["nobody"]}`)
	var answer struct {
		Faults []struct{ List, Field, Message string }
	}
	if err := json.Unmarshal([]byte(said), &answer); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range answer.Faults {
		got[f.Field] = f.Message
	}
	for field, want := range map[string]string{"extension": "7000～7999", "name": "64文字以内", "agents": "nobody"} {
		if !strings.Contains(got[field], want) {
			t.Errorf("%s: %q does not say %q", field, got[field], want)
		}
	}
	if said, _ := c.want(422, "POST", api+"/accounts/alice/password?lang=en", `{"password":"short"}`); !strings.Contains(said, "password.weak") {
		t.Errorf("a short password: %s", said)
	}
	if said, _ := c.want(409, "DELETE", api+"/groups/sales", nil); !strings.Contains(said, "row.in_use") || !strings.Contains(said, "代表") {
		t.Errorf("in use: %s", said)
	}
	c.want(400, "PUT", api+"/groups/sales", `{"id":"other","name":"x"}`)
	c.want(400, "PUT", api+"/groups/sales", `{"id":"sales","nmae":"x"}`)
}

func TestASupervisorReadsTheOwnGroupsAndChangesNothing(t *testing.T) {
	n := start(t, false)
	carol := newClient(t, n, "carol", password)
	said, _ := carol.want(200, "GET", api+"/accounts", nil)
	if !strings.Contains(said, `"alice"`) || strings.Contains(said, `"bob"`) || strings.Contains(said, `"boss"`) {
		t.Errorf("carol reads %s", said)
	}
	carol.want(404, "GET", api+"/accounts/bob", nil)
	if said, _ := carol.want(200, "GET", api+"/overview", nil); strings.Contains(said, `"bob"`) {
		t.Errorf("the overview: %s", said)
	}
	if said, _ := carol.want(200, "GET", api+"/terminals", nil); strings.Contains(said, `"2002"`) || !strings.Contains(said, `"2001"`) {
		t.Errorf("terminals: %s", said)
	}
	for _, path := range []string{"/site", "/policies", "/pbxs", "/audit", "/backup", "/versions"} {
		carol.want(403, "GET", api+path, nil)
	}
	for _, r := range [][3]string{{"POST", "/groups", `{"id":"x","name":"x"}`}, {"PUT", "/accounts/carol", `{"role":"administrator"}`}, {"DELETE", "/seats/1", ""},
		{"POST", "/accounts/alice/password", `{}`}, {"POST", "/accounts/alice/sign-out", ""}, {"PUT", "/site", `{}`}, {"POST", "/import", `{}`}, {"PUT", "/statuses", `{}`}, {"PUT", "/floors/1/map", `{}`}} {
		carol.want(403, r[0], api+r[1], r[2])
	}
	if code, said, _ := newClient(t, n, "", "").do("POST", api+"/session", map[string]string{"account": "alice", "password": password}); code != 403 {
		t.Errorf("an agent was let in: %d %s", code, said)
	}
	boss := newClient(t, n, "boss", password)
	boss.want(200, "PUT", api+"/accounts/carol", `{"account":"carol","name":"Carol","role":"agent"}`)
	carol.want(401, "GET", api+"/overview", nil) // the role is gone, and so is the session
}

func TestWhatAnAdministratorDoesToPeopleAndTheSite(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	said, _ := c.want(200, "POST", api+"/accounts/carol/password", `{}`)
	var made struct{ Password string }
	if err := json.Unmarshal([]byte(said), &made); err != nil || len(made.Password) < 16 {
		t.Fatalf("%s %v", said, err)
	}
	newClient(t, n, "carol", made.Password)
	for _, what := range []string{"sign-out", "factor-reset", "forget-devices"} {
		c.want(204, "POST", api+"/accounts/alice/"+what, nil)
	}
	_, tag := c.want(200, "GET", api+"/site", nil)
	c.want(200, "PUT", api+"/site", `{"name":"Other","domain":"center.internal","profile":"3.7","sip":{"transport":"udp","expires":120},
		"oidc":{"issuer":"https://id.example","client":"center"},"mail":{"server":"127.0.0.1:25","from":"center@example.jp","user":"center"}}`, "If-Match", tag)
	c.want(412, "PUT", api+"/site", `{"name":"Third","domain":"center.internal"}`, "If-Match", tag)
	if said, _ := c.want(200, "GET", api+"/site", nil); !strings.Contains(said, `"oidc":true`) || !strings.Contains(said, `"mail":true`) {
		t.Errorf("the secrets were not kept: %s", said)
	}
	c.want(200, "PUT", api+"/versions", `{"latest":{"version":"3.9.1","notice":"mark"}}`)
	if said, _ := c.want(200, "GET", api+"/versions", nil); !strings.Contains(said, "3.9.1") {
		t.Error(said)
	}
	c.want(200, "PUT", api+"/versions", `{"latest":null}`)
	if said, _ := c.want(200, "POST", api+"/policies/preview", `{"id":"p","groups":["help"],"set":{"misses":9}}`); !strings.Contains(said, `"bob"`) || !strings.Contains(said, `"alice"`) {
		t.Errorf("preview: %s", said)
	}
	c.want(204, "PUT", api+"/statuses", `{"ids":["training"]}`)
	_, tag = c.want(200, "GET", api+"/floors/1/map", nil)
	c.want(200, "PUT", api+"/floors/1/map", `{"floor":{"id":"1","name":"1F"},"seats":[{"id":"1","floor":"1","x":4,"y":4}]}`, "If-Match", tag)
	c.want(412, "PUT", api+"/floors/1/map", `{"floor":{"id":"1","name":"1F"},"seats":[]}`, "If-Match", tag)
	if said, _ := c.want(200, "GET", api+"/audit?actor=boss", nil); !strings.Contains(said, `"removed"`) || !strings.Contains(said, `"profile"`) || strings.Contains(said, made.Password) {
		t.Errorf("audit: %s", said)
	}
	c.want(400, "GET", api+"/audit?from=yesterday", nil)
	c.want(204, "DELETE", api+"/session", nil)
	c.want(401, "GET", api+"/session", nil)
}
