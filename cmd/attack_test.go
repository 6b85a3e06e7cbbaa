package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kit is where the attack kit lies beside the project in CI; a user does not have it.
const kit = "../../shared/relkit"

// TestTheTortureKitFindsNothing sends every file of RFC 4475 and 276 made-up cases, by UDP and TCP, to a center and to the
// phones of a demo, in a network namespace of its own: all live, answer, and write no raw message into a log.
func TestTheTortureKitFindsNothing(t *testing.T) {
	need(t, "unshare", "ip", "ss")
	if _, err := os.Stat(kit); err != nil {
		t.Skip("the attack kit is not beside the project")
	}
	dir := t.TempDir()
	build(t, dir, "center", "softphone")
	kitBuild := exec.Command("go", "build", "-o", filepath.Join(dir, "relkit"), ".")
	kitBuild.Dir = filepath.Join(kit, "relkit")
	if out, err := kitBuild.CombinedOutput(); err != nil {
		t.Fatalf("build the kit: %v\n%s", err, out)
	}
	sipgo, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/emiago/sipgo").Output()
	if err != nil {
		t.Fatal(err)
	}
	corpus := filepath.Join(strings.TrimSpace(string(sipgo)), "sip", "testdata")
	for name, script := range map[string]string{
		"center": `./center -data data -http 127.0.0.1:18080 -sip 127.0.0.1:15060 >out 2>log & pid=$!
			soon 'ss -tlnpH | grep -q 127.0.0.1:15060'; ./relkit torture -udp 127.0.0.1:15060 -tcp 127.0.0.1:15060 -corpus "$1"; code=$?`,
		// The phones' server is on this address, so that they read what comes from it. Its ports are those that listen for TCP too.
		"phone": `./softphone -demo -config demo -panel 127.0.0.1:17355 -no-browser -no-tray >out 2>log & pid=$!
			phones() {
				exchange=$(ss -tlnpH | grep "pid=$pid," | grep -v :17355 | sed 's/.*127.0.0.1:\([0-9]*\) .*/\1/') phone=
				for port in $(ss -ulnpH | grep "pid=$pid," | sed 's/.*127.0.0.1:\([0-9]*\) .*/\1/'); do
					echo " $exchange " | tr '\n' ' ' | grep -q " $port " || phone=$port; done
				[ -n "$phone" ]
			}
			soon phones; sleep 3; phones # all of them
			./relkit torture -udp "127.0.0.1:$phone" -corpus "$1"; code=$?`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name+".sh")
			const soon = "soon() { n=0; until eval \"$1\" || [ $n = 300 ]; do n=$((n + 1)); sleep 0.2; done; }\n" // within a minute
			text := "cd " + dir + "\n" + soon + script + "\nkill -0 $pid || { echo it died; code=9; }\nkill $pid; wait $pid\ngrep -c 'SIP/2.0' log && code=8\nexit $code\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("bash", filepath.Join(kit, "isolate.sh"), "sh", file, corpus).CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			t.Log(strings.Join(lines[max(0, len(lines)-6):], "\n"))
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
