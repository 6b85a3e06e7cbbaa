package roster

import (
	"slices"
	"strings"
	"testing"

	"zaseki/cmd/center/roster/mail/mailtest"
	"zaseki/web/wire"
)

func TestACodeByMailLetsInOnce(t *testing.T) {
	office := mailtest.New(t, false)
	c := newCenter(t, nil, func(s *Setup) {
		demanding(s)
		s.Site.Mail = SiteMail{Server: office.Addr, From: "center@example.jp"}
		s.Accounts[0].Mail = "alice@example.jp"
	})
	need := checks(t, c, "alice", "").Need
	if !slices.Equal(need.Ways, []string{wire.WayMail}) || need.Mail != "a…@example.jp" {
		t.Fatalf("need %+v", need)
	}
	try := func(typed string) error {
		return ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayMail, Code: typed}, nil)
	}
	wantProblem(t, try("000000"), wire.ProblemFactor)
	must(t, ask(t, c, "/api/v1/mail", "", wire.MailRequest{Ticket: need.Ticket, Lang: "ja"}, nil))
	first := office.Code(t)
	must(t, ask(t, c, "/api/v1/mail", "", wire.MailRequest{Ticket: need.Ticket, Lang: "en"}, nil))
	second := office.Code(t)
	if first != second {
		wantProblem(t, try(first), wire.ProblemFactor)
	}
	must(t, try(second))
	need = checks(t, c, "alice", "").Need
	wantProblem(t, try(second), wire.ProblemFactor)
	must(t, ask(t, c, "/api/v1/mail", "", wire.MailRequest{Ticket: need.Ticket}, nil))
	wantProblem(t, ask(t, c, "/api/v1/mail", "", wire.MailRequest{Ticket: need.Ticket}, nil), wire.ProblemLimited)
	must(t, c.change(t.Context(), "test", func(d *draft) error {
		d.factor("alice", "test").Sent.Until = d.now
		return nil
	}))
	wantProblem(t, try(office.Code(t)), wire.ProblemFactor)
}

func TestCodesByMailAreSetUpFromASession(t *testing.T) {
	office := mailtest.New(t, false)
	c := newCenter(t, nil, func(s *Setup) {
		s.Site.Mail = SiteMail{Server: office.Addr, From: "center@example.jp"}
		s.Accounts[0].Mail = "alice@example.jp"
	})
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: checks(t, c, "alice", "").Ticket, Terminal: "2001", Status: "away"}, &w))
	var start wire.FactorStart
	must(t, ask(t, c, "/api/v1/factor/start", w.Token, wire.FactorRequest{Way: wire.WayMail, Lang: "ja"}, &start))
	if start.Mail != "a…@example.jp" || start.Secret != "" {
		t.Fatalf("%+v", start)
	}
	wantProblem(t, ask(t, c, "/api/v1/factor/confirm", w.Token, wire.FactorRequest{Way: wire.WayMail, Code: "abc"}, nil), wire.ProblemFactor)
	var codes wire.FactorCodes
	must(t, ask(t, c, "/api/v1/factor/confirm", w.Token, wire.FactorRequest{Way: wire.WayMail, Code: office.Code(t)}, &codes))
	need := checks(t, c, "alice", "").Need
	if len(codes.Recovery) != 10 || need == nil || !slices.Equal(need.Ways, []string{wire.WayMail, wire.WayRecovery}) {
		t.Fatalf("need %+v", need)
	}
	must(t, ask(t, c, "/api/v1/factor/off", w.Token, wire.FactorRequest{Way: wire.WayMail, Code: codes.Recovery[0]}, nil))
	if checks(t, c, "alice", "").Need != nil {
		t.Fatal("it is off, and asked for")
	}
}

func TestAMailThatCannotBeSentIsTold(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		demanding(s)
		s.Site.Mail = SiteMail{Server: "127.0.0.1:1", From: "center@example.jp"}
		s.Accounts[0].Mail = "alice@example.jp"
	})
	need := checks(t, c, "alice", "").Need
	wantProblem(t, ask(t, c, "/api/v1/mail", "", wire.MailRequest{Ticket: need.Ticket}, nil), wire.ProblemFactorMail)
}

func TestATestMailSaysWhatTheServerSays(t *testing.T) {
	office := mailtest.New(t, false)
	c := newCenter(t, nil, func(s *Setup) { s.Site.Mail = SiteMail{Server: office.Addr, From: "center@example.jp"} })
	must(t, c.TestMail(t.Context(), "it@example.jp", "ja", "boss"))
	if m := office.Mail(); !strings.Contains(m, "To: <it@example.jp>") || strings.Contains(m, "Content-Type: text/html") {
		t.Errorf("%s", m)
	}
	if s := c.MailState(); s.Error != "" || s.At.IsZero() || s.Test == nil || s.Test.To != "i…@example.jp" {
		t.Errorf("%+v", s)
	}
	wantProblem(t, c.TestMail(t.Context(), "nobody", "ja", "boss"), wire.ProblemMail)
	site := c.Site()
	site.Mail.Server = "127.0.0.1:1"
	putRow(t, c, Setup{Site: &site})
	p := wantProblem(t, c.TestMail(t.Context(), "it@example.jp", "ja", "king"), wire.ProblemMail)
	if !strings.Contains(p.Holes["reason"], "127.0.0.1:1") || !strings.Contains(c.MailState().Test.Error, "refused") {
		t.Errorf("%v %+v", p, c.MailState())
	}
	for range 2 {
		_ = c.TestMail(t.Context(), "it@example.jp", "ja", "king")
	}
	wantProblem(t, c.TestMail(t.Context(), "it@example.jp", "ja", "king"), wire.ProblemLimited)
	site.Mail = SiteMail{}
	putRow(t, c, Setup{Site: &site})
	wantProblem(t, c.TestMail(t.Context(), "it@example.jp", "ja", "queen"), wire.ProblemMailNone)
}
