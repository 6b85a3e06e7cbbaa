package web

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheAttackKitFindsNothing lets the kit beside the repository attack a panel: Host, Origin, secret, headers, traversal,
// malformed HTTP and JSON, websocket frames, connections that never finish.
// Reliability (D7).
func TestTheAttackKitFindsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	kit, err := filepath.Abs("../../shared/relkit/relkit")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kit); err != nil {
		t.Skipf("the kit is not part of the repository and not beside it: %v", err)
	}
	bin := filepath.Join(t.TempDir(), "relkit")
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = kit
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the kit: %v\n%s", err, out)
	}
	r := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // what is behind the panel takes all that is asked of it
		for {
			select {
			case <-r.posted:
			case <-r.voice.calls:
			case <-ctx.Done():
				return
			}
		}
	}()
	attack := exec.Command(bin, "panel", "-url", r.own+"/", "-ws", "/ws?page=relkit-page-1", "-post", "/session,/media/offer", "-get", "/metrics,/session/check",
		"-public", "/", "-token", r.jar.Value, "-auth", "cookie:"+r.jar.Name, "-hello", `{"type":"floor.watch","body":{"on":true}}`, "-slow", "60", "-slow-limit", "20s")
	out, err := attack.CombinedOutput()
	cancel()
	if err != nil {
		var bad []string
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "FAIL") {
				bad = append(bad, line)
			}
		}
		t.Errorf("%v\n%s", err, strings.Join(bad, ""))
	}
	t.Logf("%s", out[max(0, len(out)-60):])
}
