package roster

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"zaseki/web/wire"
)

// What a phone's uplink makes of the code step, with a real center.

func TestAnUplinkProvesMoreThanThePassword(t *testing.T) {
	c := newCenter(t, nil, demanding)
	p := newPhone(t, c, "alice", "pc1")
	ctx := t.Context()
	first, err := p.Check(ctx, "alice", password)
	must(t, err)
	if first.Need == nil || !first.Need.Enrol || first.Need.Ticket != "" || len(first.Terminals) != 0 {
		t.Fatalf("%+v", first)
	}
	start, err := p.StartFactor(ctx, wire.FactorRequest{})
	must(t, err)
	_, _, err = p.ConfirmFactor(ctx, wire.FactorRequest{Code: "000000"})
	wantProblem(t, err, wire.ProblemFactor)
	papers, passed, err := p.ConfirmFactor(ctx, wire.FactorRequest{Code: shown(start.Secret, -1)})
	must(t, err)
	if len(papers) != 10 || passed == nil || len(passed.Terminals) == 0 {
		t.Fatalf("%v %+v", papers, passed)
	}
	_, err = p.SignIn(ctx, wire.SignIn{Terminal: "2001", Status: wire.StatusAway})
	must(t, err)

	state, err := p.Factor(ctx)
	must(t, err)
	if !state.App || state.Codes != 10 {
		t.Errorf("%+v", state)
	}
	wantProblem(t, p.DropFactor(ctx, wire.FactorRequest{Code: papers[0]}), wire.ProblemFactorNeeded)
	wantProblem(t, p.ChangePassword(ctx, wire.PasswordRequest{Old: "not it", New: "a whole new one"}), wire.ProblemSignIn)
	must(t, p.SignOut(ctx))
	_, err = p.Factor(ctx)
	wantProblem(t, err, wire.ProblemExpired)

	second, err := p.Check(ctx, "alice", password)
	must(t, err)
	if second.Need == nil || second.Need.Enrol {
		t.Fatalf("%+v", second)
	}
	_, err = p.Prove(ctx, wire.WayApp, "000000", false)
	wantProblem(t, err, wire.ProblemFactor)
	proven, err := p.Prove(ctx, wire.WayApp, wire.Secret(shown(start.Secret, 0)), true)
	must(t, err)
	if proven.Need != nil || proven.Device == "" || len(proven.Terminals) == 0 {
		t.Fatalf("%+v", proven)
	}
	_, err = p.SignIn(ctx, wire.SignIn{Terminal: "2001", Status: wire.StatusAway})
	must(t, err)
	state, err = p.Factor(ctx)
	must(t, err)
	if len(state.Devices) != 1 || state.Devices[0].Label != "pc1" {
		t.Fatalf("%+v", state)
	}
	must(t, p.SignOut(ctx))

	at, err := p.CheckAt(ctx, "alice", password, proven.Device)
	must(t, err)
	if at.Need != nil {
		t.Fatalf("asked at a trusted device: %+v", at.Need)
	}
	_, err = p.SignIn(ctx, wire.SignIn{Terminal: "2001", Status: wire.StatusAway})
	must(t, err)
	must(t, p.ForgetDevice(ctx, state.Devices[0].ID))
	must(t, p.SignOut(ctx))
	at, err = p.CheckAt(ctx, "alice", password, proven.Device)
	must(t, err)
	if at.Need == nil {
		t.Fatal("a device that was forgotten is trusted")
	}
	wantProblem(t, p.MailCode(ctx, "ja"), wire.ProblemFactorMail) // this center sends none
}

func TestAnUplinkTakesOverFromTheBrowser(t *testing.T) {
	none := newCenter(t, nil, nil)
	offer, err := newPhone(t, none, "alice", "pc1").SingleSignOn(t.Context())
	if offer != nil || err != nil {
		t.Fatalf("%+v %v", offer, err)
	}
	c, _ := newSingle(t, aliceThere, nil)
	p := newPhone(t, c, "alice", "pc1")
	if offer, err = p.SingleSignOn(t.Context()); err != nil || offer.Name != "Example ID" {
		t.Fatalf("%+v %v", offer, err)
	}
	verifier := wire.Secret("a verifier of the test")
	url := p.SignOnURL(verifier, 40404)
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	if strings.Contains(url, verifier.Reveal()) || !strings.Contains(url, base64.RawURLEncoding.EncodeToString(sum[:])) {
		t.Fatal(url)
	}
	at, status := newBrowser(t, c).open(t, strings.TrimPrefix(url, c.url))
	if status != http.StatusFound || at.Host != "127.0.0.1:40404" {
		t.Fatalf("led to %v, %d", at, status)
	}
	_, err = p.Handoff(t.Context(), at.Query().Get("code"), "another verifier", "")
	wantProblem(t, err, wire.ProblemTicket)
	passed, err := p.Handoff(t.Context(), at.Query().Get("code"), verifier, "")
	must(t, err)
	if passed.Need != nil || len(passed.Terminals) == 0 {
		t.Fatalf("%+v", passed)
	}
	w, err := p.SignIn(t.Context(), wire.SignIn{Terminal: "2001", Status: wire.StatusAway})
	if err != nil || w.Me.Account != "alice" {
		t.Fatalf("%+v %v", w.Me, err)
	}
}
