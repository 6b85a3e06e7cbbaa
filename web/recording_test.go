package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"zaseki/web/wire"
)

// shelf stands for who has the recordings.
type shelf struct{}

func (shelf) Recording(_ context.Context, call string) (io.ReadCloser, int64, error) {
	switch call {
	case "c1":
		return io.NopCloser(strings.NewReader("RIFF the sound")), 14, nil
	case "half":
		return io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", 300<<10)), broken{})), 400 << 10, nil
	case "coming":
		return nil, 0, wire.Problem{Code: wire.ProblemRecordComing}
	case "away":
		return nil, 0, wire.Problem{Code: wire.ProblemUnreachable}
	case "odd":
		return nil, 0, errors.New("out of luck")
	}
	return nil, 0, wire.Problem{Code: wire.ProblemRecordNone}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the center is gone") }

func TestARecordingIsPlayedToWhoHasASession(t *testing.T) {
	r := startWith(t, func(c *Config) { c.Recordings = shelf{} })
	for _, row := range []struct {
		call    string
		session bool
		code    int
		has     string
	}{
		{"c1", true, 200, "RIFF the sound"},
		{"c1", false, 401, ""},
		{"c2", true, 404, `"code":"record.none"`},
		{"coming", true, 409, `"code":"record.coming"`},
		{"away", true, 502, `"code":"center.unreachable"`},
		{"odd", true, 502, `"code":"internal"`},
	} {
		resp := r.do(t, "GET", "/recording?call="+row.call, "", map[string]string{"Origin": r.own}, row.session)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != row.code || !strings.Contains(string(body), row.has) {
			t.Errorf("%s session %t: %d %.80s", row.call, row.session, resp.StatusCode, body)
		}
		if row.code == 200 && (resp.ContentLength != 14 || resp.Header.Get("Content-Type") != "audio/wav") {
			t.Errorf("%s: %d bytes of %s", row.call, resp.ContentLength, resp.Header.Get("Content-Type"))
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.own+"/recording?call=half", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: r.jar.Name, Value: r.jar.Value})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("half a recording is taken for a whole one")
	}
}
