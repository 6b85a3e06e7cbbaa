package exchange

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

// vicious runs a tool of sipvicious against the exchange and returns what it says.
func (f *floor) vicious(tool string, args ...string) string {
	f.t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		if os.Getenv("CI") != "" {
			f.t.Fatalf("%s must be there in CI", tool)
		}
		f.t.Skipf("%s is not installed (Debian: sipvicious)", tool)
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), 3*long)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "HOME="+f.t.TempDir(), "TERM=dumb")
	cmd.Dir = f.t.TempDir()
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		f.t.Fatalf("%s does not end:\n%s", tool, out)
	}
	f.t.Logf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
	return string(out)
}

func TestScannersLearnNoExtensionAndRingNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	f := newFloor(t, nil)
	one, two := f.phone("1001", "udp"), f.phone("1002", "tcp")
	_, port, _ := net.SplitHostPort(f.x.Addr())
	words := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(words, []byte(strings.Join(noise(), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := f.vicious("svmap", "127.0.0.1", "-p", port); !strings.Contains(said, "127.0.0.1:"+port) {
		t.Error("svmap does not find what everybody may know: that a telephone exchange is here")
	}
	for _, method := range []string{"REGISTER", "INVITE", "OPTIONS"} {
		said := f.vicious("svwar", "--maximumtime", "3", "-m", method, "-p", port, "-d", words, "127.0.0.1")
		for _, user := range noise() {
			if strings.Contains(said, "| "+user) {
				t.Errorf("svwar with %s tells %s from others", method, user)
			}
		}
	}
	one.silent(50 * time.Millisecond)
	two.silent(50 * time.Millisecond)
}

func TestAStrangerSeesNoDifferenceBetweenExtensions(t *testing.T) {
	f := newFloor(t, nil)
	phone := f.phone("1001", "udp")
	r := f.raw()
	for _, method := range []string{"REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "REFER", "BYE", "PRACK"} {
		var first string
		for _, user := range noise() {
			uri := "sip:" + user + "@" + domain
			answer := r.ask(method, uri, uri, long, "Contact: <sip:x@127.0.0.1:9>", "Refer-To: <sip:1001@"+domain+">", "Event: refer")
			var same strings.Builder
			for line := range strings.Lines(answer) {
				switch name, _, _ := strings.Cut(line, ":"); name {
				case "Via", "Call-ID", "From", "To", "CSeq": // they repeat what was asked
				case "WWW-Authenticate", "Proxy-Authenticate":
					line, _, _ = strings.Cut(line, "nonce=")
					fallthrough
				default:
					same.WriteString(line)
				}
			}
			if first == "" {
				first = same.String()
			}
			if same.String() != first || answer == "" {
				t.Errorf("%s to %s is answered\n%s\nothers are\n%s", method, user, same.String(), first)
			}
		}
	}
	phone.silent(50 * time.Millisecond)
}

func TestACrackerIsSilencedBeforeItFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	f := newFloor(t, func(c *Config) { c.Digests = []string{"MD5"} }) // the only one that it can
	_, port, _ := net.SplitHostPort(f.x.Addr())
	var guesses strings.Builder
	for i := range 30 {
		fmt.Fprintf(&guesses, "guess-%d\n", i)
	}
	guesses.WriteString("1003-secret\n") // the right one
	words := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(words, []byte(guesses.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	said := f.vicious("svcrack", "-u", "1003", "-d", words, "-p", port, "-z", "4", "--maximumtime", "3", "127.0.0.1")
	if strings.Contains(said, "1003-secret") {
		t.Fatal("the password was found")
	}
	if got := f.x.Registered(); len(got) != 0 {
		t.Fatalf("registered %+v", got)
	}
}

func TestGuessingOverAConnectionLosesIt(t *testing.T) {
	f := newFloor(t, nil)
	good, b := f.phone("1001", "tcp"), f.phone("1002", "udp")
	conn, err := net.Dial("tcp", f.x.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(long))
	in := bufio.NewReader(conn)
	aor := "sip:1003@" + domain
	ask := func(n int, extra string) (string, error) {
		fmt.Fprintf(conn, "REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKg%d;rport\r\nFrom: <%s>;tag=x\r\nTo: <%s>\r\nCall-ID: g\r\nCSeq: %d REGISTER\r\nMax-Forwards: 70\r\n%sContent-Length: 0\r\n\r\n",
			domain, conn.LocalAddr(), n, aor, aor, n, extra)
		var answer strings.Builder
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return "", err
			}
			if answer.WriteString(line); line == "\r\n" {
				return answer.String(), nil
			}
		}
	}
	for n := 1; n <= 4*maxFailures; n += 2 {
		first, err := ask(n, "")
		if err == nil {
			_, err = ask(n+1, "Authorization: "+answerTo(t, header(first, "WWW-Authenticate"), "REGISTER", "sip:"+domain, "9999")+"\r\n")
		}
		if err == nil {
			continue
		}
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			t.Fatal("the guesser is left waiting on an open connection")
		}
		if n < 2*maxFailures {
			t.Fatalf("closed at request %d", n)
		}
		if err := good.Dial(ctxFor(t), "c1", "1002", offer); err != nil { // of the same address, but registered
			t.Fatal(err)
		}
		next[sip.Incoming](b)
		return
	}
	t.Fatal("the guesser goes on")
}

func TestAnOverheardProofIsGoodForNothing(t *testing.T) {
	f := newFloor(t, nil)
	r := f.raw()
	aor := "sip:1004@" + domain
	first := r.ask("REGISTER", "sip:"+domain, aor, long)
	proof := "Authorization: " + answerTo(t, header(first, "WWW-Authenticate"), "REGISTER", "sip:"+domain, "1004")
	if got := status(r.ask("REGISTER", "sip:"+domain, aor, long, proof, "Contact: <sip:1004@127.0.0.1:9>;expires=90")); got != "200" {
		t.Fatalf("the owner: %s", got)
	}
	again := f.raw().ask("REGISTER", "sip:"+domain, aor, long, proof, "Contact: <sip:evil@127.0.0.1:9>;expires=90")
	if status(again) != "401" || !strings.Contains(again, "stale=true") {
		t.Fatalf("whoever heard it:\n%s", again)
	}
}
