package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"zaseki/cmd/center/admin"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/center/roster/mail/mailtest"
	"zaseki/web/wire"
)

func TestTheOverviewShowsWhatIsBroken(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	c.want(201, "POST", api+"/terminals", `{"extension":"trunk1","type":"trunk","secret":"desk-secret-word","trunk":{"server":"127.0.0.1:1","transport":"tcp","user":"u","register":true}}`)
	h := admin.Health{}
	waitFor(t, "the trunk and the exchange to have failed", func() bool {
		h = saying[admin.Health](c, api+"/health")
		return len(h.Trunks) == 1 && h.Trunks[0].Reason != "" && len(h.PBXs) == 1 && h.PBXs[0].Error != ""
	})
	if h.Trunks[0].State != "failed" || h.PBXs[0].Connected || h.PBXs[0].ID != "old" || len(h.Certificates) != 1 || h.Certificates[0].Until.Before(time.Now()) {
		t.Errorf("%+v", h)
	}
	for _, path := range []string{"/health", "/warnings"} {
		newClient(t, n, "carol", password).want(403, "GET", api+path, nil)
	}
}

func TestATestMailIsSentAndWrittenDown(t *testing.T) {
	office := mailtest.New(t, false)
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	said, _ := c.want(http.StatusBadGateway, "POST", api+"/mail-test?lang=ja", `{"to":"it@example.jp"}`)
	if !strings.Contains(said, "mail.refused") || !strings.Contains(said, "127.0.0.1:25") {
		t.Error(said)
	}
	site := n.Roster().Site()
	site.Mail = roster.SiteMail{Server: office.Addr, From: "center@example.jp"}
	if err := n.Apply(t.Context(), roster.Setup{Site: &site}); err != nil {
		t.Fatal(err)
	}
	c.want(204, "POST", api+"/mail-test?lang=ja", `{"to":"it@example.jp"}`)
	if !strings.Contains(office.Mail(), "it@example.jp") {
		t.Error(office.Mail())
	}
	c.want(204, "POST", api+"/mail-test", `{"to":"it@example.jp"}`)
	if _, said, _ := c.do("POST", api+"/mail-test", `{"to":"it@example.jp"}`); !strings.Contains(said, wire.ProblemLimited) {
		t.Errorf("a fourth mail within seconds: %s", said)
	}
	waitFor(t, "the audit log", func() bool {
		said, _ := c.want(200, "GET", api+"/audit?kind=mail", nil)
		return strings.Contains(said, `"actor":"boss"`) && strings.Contains(said, "i…@example.jp") && !strings.Contains(said, "it@example.jp")
	})
	newClient(t, n, "carol", password).want(403, "POST", api+"/mail-test", `{"to":"it@example.jp"}`)
}

func TestWarningsOfTheLogAreKept(t *testing.T) {
	recent := &admin.Recent{}
	var out strings.Builder
	log := slog.New(recent.Handler(slog.NewJSONHandler(&out, nil)))
	log.Info("all is well")
	log.With("call", "c1").WithGroup("sip").Warn("trunk", "err", errors.New("no answer"), "key", wire.Secret("word"), slog.Group("at", "port", 5060))
	for range 3 {
		log.Error("again")
	}
	got := recent.Lines()
	if len(got) != 2 || got[0].Text != "again" || got[0].Times != 3 || got[0].Level != "ERROR" || got[1].Text != "trunk call=c1 sip.err=no answer sip.key=••• sip.at.port=5060" {
		t.Errorf("%+v", got)
	}
	if strings.Count(out.String(), "\n") != 5 {
		t.Errorf("not everything is passed on: %s", out.String())
	}
	for i := range 2000 {
		log.Warn(fmt.Sprint("line ", i, strings.Repeat("é", 3000)))
	}
	if got = recent.Lines(); len(got) != 500 || !strings.HasPrefix(got[0].Text, "line 1999") || len(got[0].Text) > 2100 {
		t.Errorf("%d lines, the newest %.20s", len(got), got[0].Text)
	}
}

func TestWhatKeepsWarningsIsAGoodHandler(t *testing.T) {
	var out strings.Builder
	results := func() (all []map[string]any) {
		for line := range strings.Lines(out.String()) {
			m := map[string]any{}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		return all
	}
	if err := slogtest.TestHandler((&admin.Recent{}).Handler(slog.NewJSONHandler(&out, nil)), results); err != nil {
		t.Error(err)
	}
}

func TestAQueryIsReadWholeOrRefused(t *testing.T) {
	c := newClient(t, start(t, false), "boss", password)
	for _, path := range []string{"/accounts?q=a;limit=3", "/accounts?role=agent&role=supervisor", "/accounts?rôle=agent", "/accounts?limit=0", "/accounts?limit=x", "/accounts?limit=1001",
		"/audit?actor=a;b", "/audit?offset=3", "/audit?before=-1", "/overview?brief=1;x", "/terminals?role=agent"} {
		c.want(400, "GET", api+path, nil)
	}
	for _, path := range []string{"/api/v1/recordings?day=2026-01-01;account=x", "/api/v1/recordings?day=2026-01-01&of=x"} {
		c.want(400, "GET", path, nil)
	}
	if said, _ := c.want(200, "GET", api+"/accounts?q=ALI&role=agent&group=sales&state=out&limit=1", nil); !strings.Contains(said, `"total":1`) || !strings.Contains(said, `"alice"`) {
		t.Error(said)
	}
	first := saying[struct{ Next string }](c, api+"/accounts?limit=2")
	if said, _ := c.want(200, "GET", api+"/accounts?limit=2&after="+first.Next, nil); strings.Contains(said, `"`+first.Next+`","rev"`) || !strings.Contains(said, `"total":5`) {
		t.Errorf("after %s: %s", first.Next, said)
	}
}
