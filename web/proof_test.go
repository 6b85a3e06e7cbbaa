package web

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"io"
	"net/http"
	"strings"
	"testing"

	"zaseki/web/wire"
)

// safe stands for who has the proofs.
type safe struct{ came chan string }

func (safe) Factor(context.Context) (wire.FactorState, error) {
	return wire.FactorState{App: true, Codes: 7}, nil
}

func (safe) StartFactor(_ context.Context, in wire.FactorRequest) (wire.FactorStart, error) {
	if in.Way == wire.WayMail {
		return wire.FactorStart{Mail: "t…@example.jp"}, nil
	}
	return wire.FactorStart{Secret: "JBSWY3DPEHPK3PXP", URL: "otpauth://totp/Zaseki:sato?secret=JBSWY3DPEHPK3PXP"}, nil
}

func (safe) ConfirmFactor(_ context.Context, in wire.FactorRequest) ([]string, error) {
	if in.Code != "123456" {
		return nil, wire.Problem{Code: wire.ProblemFactor, Holes: map[string]string{"left": "4"}}
	}
	return []string{"abcd-efgh"}, nil
}

func (s safe) NewCodes(ctx context.Context, in wire.FactorRequest) ([]string, error) {
	return s.ConfirmFactor(ctx, in)
}

func (safe) DropFactor(context.Context, wire.FactorRequest) error       { return errors.New("out of luck") }
func (s safe) ForgetDevice(_ context.Context, id string) error          { s.came <- id; return nil }
func (safe) ChangePassword(context.Context, wire.PasswordRequest) error { return nil }

func (s safe) SignedOn(_ context.Context, code string, refused *wire.Problem) error {
	if refused != nil {
		return *refused
	}
	if code != "good" {
		return wire.Problem{Code: wire.ProblemTicket}
	}
	return nil
}

func TestProofsAreSetUpByWhoHasASession(t *testing.T) {
	s := safe{make(chan string, 1)}
	r := startWith(t, func(c *Config) { c.Proofs = s })
	for _, row := range []struct {
		method, path, body string
		session            bool
		code               int
		has                string
	}{
		{"GET", "/factor", "", true, 200, `"codes":7`},
		{"GET", "/factor", "", false, 401, ""},
		{"POST", "/factor/start", `{}`, true, 200, `"size":`},
		{"POST", "/factor/start", `{"way":"mail"}`, true, 200, `"mail":"t…@example.jp"`},
		{"POST", "/factor/start", `{}`, false, 401, ""},
		{"POST", "/factor/start", `{`, true, 400, ""},
		{"POST", "/factor/confirm", `{"code":"123456"}`, true, 200, "abcd-efgh"},
		{"POST", "/factor/confirm", `{"code":"1"}`, true, 422, `"left":"4"`},
		{"POST", "/factor/confirm", `{"code":"123456"}`, false, 401, ""},
		{"POST", "/factor/codes", `{"code":"123456"}`, true, 200, "abcd-efgh"},
		{"POST", "/factor/codes", `{"code":"1"}`, true, 422, `"left":"4"`},
		{"POST", "/factor/codes", `{"code":"123456"}`, false, 401, ""},
		{"POST", "/factor/off", `{}`, true, 422, `"code":"internal"`},
		{"POST", "/factor/forget", `{"device":"d1"}`, true, 200, "{}"},
		{"POST", "/password", `{"old":"a","new":"b"}`, true, 200, "{}"},
		{"POST", "/password", `{"old":"a","new":"b"}`, false, 401, ""},
	} {
		resp := r.do(t, row.method, row.path, row.body, map[string]string{"Origin": r.own, "Content-Type": "application/json"}, row.session)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != row.code || !strings.Contains(string(body), row.has) {
			t.Errorf("%s %s session %t: %d %.120s", row.method, row.path, row.session, resp.StatusCode, body)
		}
	}
	if id := <-s.came; id != "d1" {
		t.Errorf("forgotten: %q", id)
	}
	if resp := r.do(t, "POST", "/password", `{}`, map[string]string{"Origin": "https://evil.example", "Content-Type": "application/json"}, true); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page changes the password: %d", resp.StatusCode)
	}
	if strings.Contains(r.log.String(), "JBSWY3DPEHPK3PXP") || strings.Contains(r.log.String(), "abcd-efgh") {
		t.Error("the log holds a secret")
	}
}

// TestTheBrowserComesBackFromTheProvider: by a link of another site, without a session, maybe in another browser. What stands in the
// address comes from anybody.
func TestTheBrowserComesBackFromTheProvider(t *testing.T) {
	r := startWith(t, func(c *Config) { c.Proofs = safe{} })
	link := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	for _, row := range []struct {
		query string
		code  int
		has   string
		not   string
	}{
		{"code=good", 200, "Signed in", "Not signed in"},
		{"code=bad", 400, "Not signed in", ""},
		{"", 400, "Not signed in", ""},
		{"problem=signin.sso&reason=access_denied", 400, "access_denied", ""},
		{"problem=signin.off", 400, "suspended", ""},
		{"problem=signin.sso&reason=<script>alert(1)</script>", 400, "did not let you in", "script>"},
		{"problem=signin.sso&reason=" + strings.Repeat("call+0120", 40), 400, "did not let you in", "0120"},
		{"problem=%3Cimg+src=x%3E&code=good", 400, "did not let you in", "<img"},
	} {
		resp := r.do(t, "GET", "/signed-in?"+row.query, "", link, false)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != row.code || !strings.Contains(string(body), row.has) || row.not != "" && strings.Contains(string(body), row.not) {
			t.Errorf("%s: %d %s", row.query, resp.StatusCode, body)
		}
	}
	japanese := map[string]string{"Accept-Language": "ja,en;q=0.5"}
	resp := r.do(t, "GET", "/signed-in?code=good", "", japanese, false)
	if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), "サインインしました") {
		t.Errorf("%s", body)
	}
	embedded := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
	if resp := r.do(t, "GET", "/signed-in?code=good", "", embedded, false); resp.StatusCode != http.StatusForbidden {
		t.Errorf("embedded by a foreign page: %d", resp.StatusCode)
	}
}

// TestThePictureIsWhatACameraReads compares its three corner marks and its size with ISO/IEC 18004.
func TestThePictureIsWhatACameraReads(t *testing.T) {
	p, err := draw("otpauth://totp/Zaseki:sato?secret=JBSWY3DPEHPK3PXP&issuer=Zaseki")
	if err != nil || p.Size < 21 || (p.Size-17)%4 != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	dark := func(x, y int) bool { return strings.Contains(p.Path, "M"+itoa(x)+" "+itoa(y)+"h1v1h-1z") }
	for _, at := range []image.Point{{}, {X: p.Size - 7}, {Y: p.Size - 7}} {
		for y := range 7 {
			for x := range 7 {
				ring := max(abs(x-3), abs(y-3))
				if dark(at.X+x, at.Y+y) != (ring != 2) {
					t.Fatalf("the mark at %v is wrong in %d, %d", at, x, y)
				}
			}
		}
	}
}

func itoa(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func abs(n int) int { return max(n, -n) }
