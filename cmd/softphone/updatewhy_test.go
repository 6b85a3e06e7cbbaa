package main

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zaseki/static"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

func TestWhyAnUpdateFails(t *testing.T) {
	elsewhere := httptest.NewTLSServer(http.NotFoundHandler())
	defer elsewhere.Close()
	rows := []struct {
		name string
		with func(*shop, *wire.Release)
		code string
		asks int // requests that are made at all
	}{
		{"built without a key", func(s *shop, _ *wire.Release) { s.key = nil }, wire.ProblemUpdateForged, 0},
		{"signed by somebody else", func(s *shop, _ *wire.Release) { s.key, _, _ = ed25519.GenerateKey(nil) }, wire.ProblemUpdateForged, 0},
		{"not signed", func(_ *shop, r *wire.Release) { r.Signs = nil }, wire.ProblemUpdateForged, 0},
		{"signed for another version", func(_ *shop, r *wire.Release) { r.Version = "9.2.0" }, wire.ProblemUpdateForged, 0},
		{"signed for another system", func(s *shop, r *wire.Release) {
			s.system = "windows/amd64"
			for _, m := range []map[string]string{r.Files, r.Hashes, r.Signs} {
				m[s.system] = m["linux/amd64"]
			}
		}, wire.ProblemUpdateForged, 0},
		{"no hash", func(_ *shop, r *wire.Release) { r.Hashes = nil }, wire.ProblemUpdateForged, 0},
		{"other goods than were signed", func(s *shop, _ *wire.Release) { s.goods = []byte("evil") }, wire.ProblemUpdateForged, 1},
		{"none for this system", func(s *shop, _ *wire.Release) { s.system = "plan9/arm" }, wire.ProblemUpdateNone, 0},
		{"without TLS", func(_ *shop, r *wire.Release) { r.Files["linux/amd64"] = "http://127.0.0.1/x.deb" }, wire.ProblemUpdateNetwork, 0},
		{"not there", func(s *shop, _ *wire.Release) {
			s.serve = func(w http.ResponseWriter, r *http.Request, _ int) bool { http.NotFound(w, r); return true }
		}, wire.ProblemUpdateNetwork, 1},
		{"led to another host", func(s *shop, _ *wire.Release) {
			s.serve = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				http.Redirect(w, r, elsewhere.URL, http.StatusFound)
				return true
			}
		}, wire.ProblemUpdateNetwork, 1},
		{"led out of TLS", func(s *shop, _ *wire.Release) {
			s.serve = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				http.Redirect(w, r, strings.Replace(s.site.URL, "https", "http", 1), http.StatusFound)
				return true
			}
		}, wire.ProblemUpdateNetwork, 1},
		{"too large", func(s *shop, _ *wire.Release) {
			s.serve = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				w.Header().Set("Content-Length", fmt.Sprint(int64(updateMost)+1))
				return true
			}
		}, wire.ProblemUpdateNetwork, 1},
		{"a range nobody asked for", func(s *shop, _ *wire.Release) {
			s.serve = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				w.Header().Set("Content-Range", "bytes 5-9/10")
				w.WriteHeader(http.StatusPartialContent)
				return true
			}
		}, wire.ProblemUpdateNetwork, 1},
		{"nobody answers", func(s *shop, r *wire.Release) { r.Files["linux/amd64"] = "https://127.0.0.1:1/x.deb" }, wire.ProblemUpdateNetwork, 0},
		{"a stranger's certificate", func(s *shop, _ *wire.Release) { s.client = &http.Client{} }, wire.ProblemUpdateNetwork, 0},
		{"a file in the folder's place", func(s *shop, _ *wire.Release) { desktop.Must(s.t, os.WriteFile(s.dir, nil, 0o600)) }, wire.ProblemUpdateDenied, 0},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := openShop(t)
			s.reveal = func(file string) error { t.Errorf("%s is shown", file); return nil }
			release := s.release()
			r.with(s, &release)
			s.site.Config.ErrorLog = nil
			got := s.get(release)
			if got.State != wire.UpdateFailed || got.Problem == nil || got.Problem.Code != inWordsOf(s.system, r.code) || got.Details == "" {
				t.Fatalf("%+v %v, want %s", got, got.Problem, r.code)
			}
			if n := len(s.ranges()); n != r.asks {
				t.Errorf("%d requests, want %d", n, r.asks)
			}
			if left, _ := filepath.Glob(filepath.Join(s.dir, "*.deb")); len(left) != 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

func TestAnUpdateThatIsOlderByNowIsTold(t *testing.T) {
	s := openShop(t)
	s.Latest(t.Context(), s.release())
	s.version = "9.1.0" // what a downgraded center would offer
	s.Get(t.Context())
	if got := s.last(); got.State != wire.UpdateFailed || got.Problem.Code != wire.ProblemUpdateOld {
		t.Errorf("%+v", got)
	}
}

func TestAFileThatIsTakenAwayBeforeItIsCheckedIsTold(t *testing.T) {
	s := openShop(t)
	d, err := s.plan(s.release())
	desktop.Must(t, err)
	d.tell = func(done, size int64) {
		if done == size {
			desktop.Must(t, os.Remove(d.part())) // as a virus scanner does
		}
	}
	s.fail(d, d.run(t.Context()))
	if got := s.last().Problem; got.Code != wire.ProblemUpdateBlocked+".linux" || got.Holes["file"] != d.part() {
		t.Errorf("%+v", got)
	}
}

// TestWhyAnUpdateFailsIsSaidInTheWordsOfTheSystem is PRODUCT B4: every cause on every system in both languages. What a person can do
// differs by system for some causes, and is the same everywhere for the others.
func TestWhyAnUpdateFailsIsSaidInTheWordsOfTheSystem(t *testing.T) {
	names := map[string][]string{ // of each system in its texts: denied, blocked, disk, space
		"windows/amd64": {"Program Files", "Defender", "Tools|ツール", "Storage|ストレージ"},
		"darwin/arm64":  {"macOS", "Gatekeeper", "First Aid", "System Settings|システム設定"},
		"linux/amd64":   {"mount|マウント", "clean-up|自動整理", "kernel|カーネル", "quota|クォータ"},
		"freebsd/amd64": {"permission|権限", "Security software|セキュリティソフト", "disk|ディスク", "room|空き"},
	}
	own := []string{wire.ProblemUpdateDenied, wire.ProblemUpdateBlocked, wire.ProblemUpdateDisk, wire.ProblemUpdateSpace}
	same := []string{wire.ProblemUpdateForged, wire.ProblemUpdateOld, wire.ProblemUpdateNetwork, wire.ProblemUpdateNone}
	holes := map[string]string{"file": "FILE", "reason": "REASON", "size": "SIZE", "version": "VERSION", "system": "SYSTEM"}
	for _, lang := range []string{"en", "ja"} {
		said := map[string]string{}
		for system, words := range names {
			for i, code := range own {
				text := static.Say(lang, "problem."+inWordsOf(system, code), holes)
				en, ja, both := strings.Cut(words[i], "|")
				if !strings.Contains(text, en) && (!both || !strings.Contains(text, ja)) {
					t.Errorf("%s %s in %s: %q", code, system, lang, text)
				}
				if twin := said[text]; twin != "" || strings.ContainsAny(text, "{}") {
					t.Errorf("%s %s in %s is as on %s: %q", code, system, lang, twin, text)
				}
				said[text] = system
			}
			for _, code := range same {
				if got := inWordsOf(system, code); got != code {
					t.Errorf("%s on %s: %s", code, system, got)
				}
			}
		}
	}
}
