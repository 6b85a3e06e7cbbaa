package sip_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

// bare is a baresip that answers by itself.
type bare struct {
	t       *testing.T
	control string
}

func baresip(t *testing.T, k *proxy, user string) *bare {
	t.Helper()
	program := tool(t, "baresip")
	modules, _ := filepath.Glob("/usr/lib/*/baresip/modules")
	modules = append(modules, "/usr/lib/baresip/modules")
	host, dir := address(), t.TempDir()
	b := &bare{t: t, control: host + ":4444"}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("config", strings.NewReplacer("@IP@", host, "@DIR@", dir, "@MODULES@", modules[0]).Replace(read(t, "baresip.config")))
	write("accounts", fmt.Sprintf("<sip:%[1]s@zaseki.test>;auth_user=%[1]s;auth_pass=pw-%[1]s;outbound=\"sip:%[2]s\";regint=120;answermode=auto\n", user, k.addr))
	write("contacts", "")
	start(t, exec.Command(program, "-f", dir, "-v"))
	k.knows(t, user, "5060")
	return b
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// knows waits until that user is registered there, at that port.
func (p *proxy) knows(t *testing.T, user, port string) {
	t.Helper()
	within(t, 20*time.Second, user+" registers", func() bool {
		out, err := exec.Command(tool(t, "kamcmd"), "-s", "unix:"+p.dir+"/ctl.sock", "ul.dump").Output()
		return err == nil && strings.Contains(string(out), "AoR: "+user+"\n") && strings.Contains(string(out), ":"+port)
	})
}

// says runs a command of baresip's menu.
func (b *bare) says(command, params string) {
	b.t.Helper()
	conn, err := net.DialTimeout("tcp", b.control, 5*time.Second)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	message, _ := json.Marshal(map[string]string{"command": command, "params": params, "token": "1"})
	fmt.Fprintf(conn, "%d:%s,", len(message), message)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	answer, err := bufio.NewReader(conn).ReadString(',')
	if err != nil {
		b.t.Fatalf("%q: %v", answer, err)
	}
}

// linphone is a linphonec that answers by itself and reads commands.
func linphone(t *testing.T, k *proxy, user string) (says func(string)) {
	t.Helper()
	program := tool(t, "linphonec")
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".local/share/linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(home, "linphonerc")
	if err := os.WriteFile(rc, []byte(strings.NewReplacer("@SERVER@", k.addr, "@USER@", user).Replace(read(t, "linphonerc"))), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-a", "-c", rc)
	cmd.Env = append(os.Environ(), "HOME="+home, "LANG=C")
	commands, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	says = func(command string) { _, _ = io.WriteString(commands, command+"\n") }
	says("soundcard use files")
	port := fmt.Sprint(free(t)) // it registers from 5060 at first
	says("ports sip " + port)
	k.knows(t, user, port)
	return says
}

func free(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// softphones are the two real ones, each as carol.
var softphones = map[string]func(*testing.T, *proxy){
	"baresip":  func(t *testing.T, k *proxy) { baresip(t, k, "carol") },
	"linphone": func(t *testing.T, k *proxy) { linphone(t, k, "carol") },
}

// calls brings up a call to a phone that answers by itself.
func (p *phone) callsUp(name, number string) {
	p.t.Helper()
	if err := p.Dial(p.context(), name, number, talkable(p.name)); err != nil {
		p.t.Fatal(err)
	}
	if e := awaits[sip.Answered](p); e.Call != name {
		p.t.Fatalf("%+v", e)
	}
}

// talkable is an offer that a real phone can take; nobody listens there.
func talkable(name string) string {
	return "v=0\r\no=" + name + " 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n" +
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
}

// TestTransferOfARealPhone: each way with a peer of its own, for baresip mixes its transfers up after the first.
func TestTransferOfARealPhone(t *testing.T) {
	for peer, begin := range softphones {
		for what, transfer := range map[string]func(t *testing.T, alice, bob *phone, peer string){"blind": blind, "attended": attended, "refused": refused} {
			t.Run(peer+" "+what, func(t *testing.T) {
				k := kamailio(t)
				alice, bob := newPhone(t, "alice"), newPhone(t, "bob")
				alice.register(k.addr, "udp")
				bob.register(k.addr, "udp")
				begin(t, k)
				alice.callsUp("out", "carol")
				transfer(t, alice, bob, peer)
			})
		}
	}
}

func blind(t *testing.T, alice, bob *phone, _ string) {
	done := make(chan error, 1)
	started := time.Now()
	go func() { done <- alice.Transfer(alice.context(), "out", "bob") }()
	arrives(t, bob, "")
	if err := within2(t, done); err != nil {
		t.Fatal(err)
	}
	t.Logf("took %v", time.Since(started))
	ends(t, alice, "out")
	bob.hangsUp()
}

func attended(t *testing.T, alice, bob *phone, peer string) {
	consulted := talkAs(t, alice, bob, "asking")
	done := make(chan error, 1)
	started := time.Now()
	go func() { done <- alice.Connect(alice.context(), "out", "asking") }()
	replaces := ""
	if peer != "baresip" { // 1.0.0 ignores Replaces: we clear the consultation call ourselves
		replaces = consulted
	}
	arrives(t, bob, replaces)
	if err := within2(t, done); err != nil {
		t.Fatal(err)
	}
	t.Logf("took %v", time.Since(started))
	ends(t, alice, "out", "asking")
	if e := awaits[sip.Ended](bob); e.Call != consulted || e.Replaced != (replaces != "") {
		t.Errorf("%+v", e)
	}
	bob.hangsUp()
}

func refused(t *testing.T, alice, bob *phone, _ string) {
	done := make(chan error, 1)
	go func() { done <- alice.Transfer(alice.context(), "out", "bob") }()
	call := awaits[sip.Incoming](bob)
	if err := bob.Reject(bob.context(), call.Call, 486, "Busy Here"); err != nil {
		t.Fatal(err)
	}
	awaits[sip.Ended](bob)
	if err := within2(t, done); err == nil {
		t.Error("a busy target took the call")
	}
	if err := alice.Hangup(alice.context(), "out"); err != nil {
		t.Errorf("the call did not stay: %v", err)
	}
	ends(t, alice, "out")
}

// arrives answers the call that a transfer brings.
func arrives(t *testing.T, p *phone, replaces string) {
	t.Helper()
	call := awaits[sip.Incoming](p)
	if call.Replaces != replaces {
		t.Errorf("replaces %q, want %q", call.Replaces, replaces)
	}
	if err := p.Answer(p.context(), call.Call, talkable(p.name)); err != nil {
		t.Fatal(err)
	}
	p.last = call.Call
}

func (p *phone) hangsUp() {
	p.t.Helper()
	if err := p.Hangup(p.context(), p.last); err != nil {
		p.t.Error(err)
	}
	if e := awaits[sip.Ended](p); e.Call != p.last {
		p.t.Errorf("%+v", e)
	}
}

// ends waits for the ends of those calls, in any order.
func ends(t *testing.T, p *phone, calls ...string) {
	t.Helper()
	left := map[string]bool{}
	for _, c := range calls {
		left[c] = true
	}
	for len(left) > 0 {
		e := awaits[sip.Ended](p)
		if !left[e.Call] {
			t.Fatalf("%+v", e)
		}
		delete(left, e.Call)
	}
}

// TestRealPhoneSendsUsElsewhere: baresip is the one who transfers.
func TestRealPhoneSendsUsElsewhere(t *testing.T) {
	k := kamailio(t)
	alice, bob := newPhone(t, "alice"), newPhone(t, "bob")
	alice.register(k.addr, "udp")
	bob.register(k.addr, "udp")
	carol := baresip(t, k, "carol")
	alice.callsUp("out", "carol")
	carol.says("transfer", "sip:bob@zaseki.test")
	if asked := expect[sip.TransferAsked](alice); asked.Number != "bob" {
		t.Errorf("%+v", asked)
	}
	if err := alice.Follow(alice.context(), "out", "new", talkable("alice")); err != nil {
		t.Fatal(err)
	}
	arrives(t, bob, "")
	if e := awaits[sip.Answered](alice); e.Call != "new" {
		t.Errorf("%+v", e)
	}
	if e := awaits[sip.Ended](alice); e.Call != "out" || !e.ByPeer { // it hears of our NOTIFY 200 and hangs up
		t.Errorf("%+v", e)
	}
	bob.hangsUp()
	ends(t, alice, "new")
}
