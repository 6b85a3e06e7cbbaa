package exchange

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zaseki/sip"
)

const talkable = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n"

// started runs somebody else's phone until the test ends.
func started(t *testing.T, program, home string, args ...string) (say io.Writer) {
	t.Helper()
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s must be there in CI", program)
		}
		t.Skipf("%s is not installed", program)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "LANG=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(filepath.Join(home, "output"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	say, err = cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			said, _ := os.ReadFile(log.Name())
			t.Logf("%s: %s", program, said[max(0, len(said)-3000):])
		}
		log.Close()
	})
	return say
}

// filled is a configuration that the phone's own tests have, with its holes filled.
func filled(t *testing.T, name string, holes ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../sip/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(append(holes, "zaseki.test", domain)...).Replace(string(text))
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRealPhonesRegister: baresip and Linphone; both are called and answer.
func TestRealPhonesRegister(t *testing.T) {
	phones := map[string]func(t *testing.T, f *floor){
		"baresip": func(t *testing.T, f *floor) {
			modules, _ := filepath.Glob("/usr/lib/*/baresip/modules")
			modules = append(modules, "/usr/lib/baresip/modules")
			dir, ip := t.TempDir(), fmt.Sprintf("127.60.%d.1", 1+os.Getpid()%250)
			write(t, dir, "config", filled(t, "baresip.config", "@IP@", ip, "@DIR@", dir, "@MODULES@", modules[0]))
			write(t, dir, "accounts", fmt.Sprintf("<sip:1004@%s>;auth_user=1004;auth_pass=1004-secret;outbound=\"sip:%s\";regint=120;answermode=auto\n", domain, f.x.Addr()))
			write(t, dir, "contacts", "")
			started(t, "baresip", dir, "-f", dir, "-v")
		},
		"linphone": func(t *testing.T, f *floor) {
			home := t.TempDir()
			if err := os.MkdirAll(filepath.Join(home, ".local/share/linphone"), 0o700); err != nil {
				t.Fatal(err)
			}
			rc := write(t, home, "linphonerc", filled(t, "linphonerc", "@SERVER@", f.x.Addr(), "@USER@", "1004", "pw-1004", "1004-secret", "pw-@USER@", "1004-secret"))
			say := started(t, "linphonec", home, "-a", "-c", rc)
			free, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(free.LocalAddr().String())
			free.Close()
			fmt.Fprintf(say, "soundcard use files\nports sip %s\n", port)
			until(t, "it registers from its port", func() bool {
				all := f.x.Registered()
				return len(all) > 0 && strings.HasSuffix(all[len(all)-1].Source, ":"+port)
			})
		},
	}
	for name, begin := range phones {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, nil)
			begin(t, f)
			until(t, name+" registers", func() bool { return len(f.x.Registered()) > 0 })
			caller := f.phone("1001", "udp")
			if err := caller.Dial(ctxFor(t), "c", "1004", talkable); err != nil {
				t.Fatal(err)
			}
			next[sip.Answered](caller)
			if err := caller.Hangup(ctxFor(t), "c"); err != nil {
				t.Fatal(err)
			}
			if r := f.record(); r.Result != "answered" || r.Callee != "1004" {
				t.Errorf("record %+v", r)
			}
			named := f.x.where.lookup("1004")[0]
			if named.instance == "" {
				t.Fatalf("%s names no instance", name)
			}
			f.answersByTemporaryGRUU(name, named)
		})
	}
}

// answersByTemporaryGRUU calls a phone that stands there by an address that does not say whose it is.
func (f *floor) answersByTemporaryGRUU(name string, at binding) {
	f.t.Helper()
	r := f.raw()
	r.register(f, "1003", "Contact: <sip:1003@"+r.conn.LocalAddr().String()+">")
	uri := f.x.temporary("1004", at)
	call := []string{"Contact: <sip:1003@" + r.conn.LocalAddr().String() + ">", "Content-Type: application/sdp", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(talkable), talkable)}
	proof := answerTo(f.t, header(r.ask("INVITE", uri, uri, long, call...), "Proxy-Authenticate"), "INVITE", uri, "1003")
	if got := status(r.ask("INVITE", uri, uri, long, append([]string{"Proxy-Authorization: " + proof}, call...)...)); got != "200" {
		f.t.Errorf("%s by its temporary GRUU: %s", name, got)
	}
}
