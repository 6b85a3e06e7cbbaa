package web

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"zaseki/web/wire"
)

// why stands for who keeps the timelines.
type why struct{ broken bool }

func (why) Timeline(_ context.Context, call string) (wire.Timeline, error) {
	switch call {
	case "c1":
		return wire.Timeline{Call: call, Lines: []wire.TimelineLine{{At: time.Unix(1, 0), Kind: "sip", Title: "INVITE"}}}, nil
	case "theirs":
		return wire.Timeline{}, wire.Problem{Code: wire.ProblemForbidden}
	}
	return wire.Timeline{}, wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": call}}
}

func (w why) Support(_ context.Context, to io.Writer) error {
	if w.broken {
		return errors.New("no space left")
	}
	_, err := io.WriteString(to, "PK the archive")
	return err
}

func TestACallIsExplainedToWhoHasASession(t *testing.T) {
	r := startWith(t, func(c *Config) { c.Why = why{} })
	for _, row := range []struct {
		path    string
		session bool
		code    int
		has     string
	}{
		{"/timeline?call=c1", true, 200, `"title":"INVITE"`},
		{"/timeline?call=c1", false, 401, ""},
		{"/timeline?call=c2", true, 404, "row.unknown"},
		{"/timeline?call=theirs", true, 403, "forbidden"},
		{"/support", true, 200, "PK the archive"},
		{"/support", false, 401, ""},
	} {
		resp := r.do(t, "GET", row.path, "", map[string]string{"Origin": r.own}, row.session)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != row.code || !strings.Contains(string(body), row.has) {
			t.Errorf("%s session %t: %d %.80s", row.path, row.session, resp.StatusCode, body)
		}
	}
}

func TestABrokenSupportFileIsAnErrorAndNotHalfAFile(t *testing.T) {
	r := startWith(t, func(c *Config) { c.Why = why{broken: true} })
	if resp := r.do(t, "GET", "/support", "", map[string]string{"Origin": r.own}, true); resp.StatusCode != 500 || resp.Header.Get("Content-Disposition") != "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestALinkIsHandedOnAndNeedsASession(t *testing.T) {
	r := start(t)
	head := map[string]string{"Origin": r.own, "Content-Type": "application/json"}
	if resp := r.do(t, "POST", "/link", `{"uri":"tel:+81312345678"}`, head, false); resp.StatusCode != 401 {
		t.Error(resp.StatusCode)
	}
	if resp := r.do(t, "POST", "/link", `{}`, head, true); resp.StatusCode != 400 {
		t.Error(resp.StatusCode)
	}
	if resp := r.do(t, "POST", "/link", `{"uri":"tel:+81312345678"}`, head, true); resp.StatusCode != 204 {
		t.Error(resp.StatusCode)
	}
	if got := r.next(t); got != (wire.DialLink{URI: "tel:+81312345678"}) {
		t.Errorf("%+v", got)
	}
}
