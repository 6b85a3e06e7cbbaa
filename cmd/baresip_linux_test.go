package cmd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/media/hear"
)

// baresip is a real one, registered at the server, steered over its control port.
type baresip struct {
	t      *testing.T
	user   string
	dir    string
	conn   net.Conn
	mu     sync.Mutex
	events []string // class and type
}

const baresipConfig = `poll_method epoll
call_local_timeout 120
call_max_calls 4
sip_listen %[1]s
snd_path %[3]s
audio_source ausine,440
audio_alert aufile,/dev/null
ausrc_srate 48000
auplay_srate 8000
ausrc_channels 2
auplay_channels 1
audio_txmode thread
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_ports 20000-20999
rtcp_mux no
jitter_buffer_delay 1-4
net_interface %[4]s
module_path /usr/lib/baresip/modules
module g711.so
module ausine.so
module aufile.so
module sndfile.so
module srtp.so
module dtls_srtp.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen %[2]s
`

// newBaresip starts one with that mediaenc ("" none).
func newBaresip(t *testing.T, server, secret, mediaenc string) *baresip {
	t.Helper()
	const ip = "127.0.0.1" // on loopback it sends from there whatever it says, and we hear nobody but who was announced
	dir := t.TempDir()
	control := freePort(t, ip)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("config", fmt.Sprintf(baresipConfig, freePort(t, ip), control, dir, ip))
	user := "bare" + mediaenc // each its own, since a killed one does not unregister
	account := fmt.Sprintf(`<sip:%[1]s@pbx.test;transport=udp>;auth_user=%[1]s;auth_pass=%[2]s;outbound="sip:%[3]s;transport=udp";regint=120;ptime=20;audio_codecs=PCMA/8000/1,PCMU/8000/1;answermode=auto`, user, secret, server)
	if mediaenc != "" {
		account += ";mediaenc=" + mediaenc
	}
	write("accounts", account+"\n")
	write("contacts", "")
	var log bytes.Buffer
	cmd := exec.Command("baresip", "-f", dir, "-v")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := &baresip{t: t, user: user, dir: dir}
	read := make(chan struct{})
	t.Cleanup(func() {
		if b.conn != nil {
			_ = b.conn.Close()
			<-read
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("baresip: %s", log.String())
		}
	})
	var err error
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); b.conn == nil; <-tick.C {
		if b.conn, err = net.Dial("tcp", control); err != nil && time.Now().After(end) {
			t.Fatal(err)
		}
		if err != nil {
			b.conn = nil
		}
	}
	go func() { defer close(read); b.read() }()
	for end := time.Now().Add(5 * time.Second); !strings.Contains(b.ask("reginfo"), "OK"); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("baresip does not register")
		}
	}
	return b
}

// read takes the netstrings that baresip sends.
func (b *baresip) read() {
	in := bufio.NewReader(b.conn)
	for {
		length, err := in.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
		if err != nil {
			return
		}
		body := make([]byte, n+1) // and a comma
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		var said struct {
			Response          bool
			Type, Param, Data string
		}
		if json.Unmarshal(body[:n], &said) != nil {
			continue
		}
		if said.Response {
			said.Type, said.Param = "response", said.Data
		}
		b.mu.Lock()
		b.events = append(b.events, said.Type+" "+said.Param)
		b.mu.Unlock()
	}
}

// order gives a command.
func (b *baresip) order(command, parameter string) {
	b.t.Helper()
	text, _ := json.Marshal(map[string]string{"command": command, "params": parameter, "token": "t"})
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(text), text); err != nil {
		b.t.Fatal(err)
	}
}

// ask gives a command and its answer.
func (b *baresip) ask(command string) string {
	b.t.Helper()
	mark := b.mark()
	b.order(command, "")
	return b.sees("response", mark)
}

// mark is how much it has said so far.
func (b *baresip) mark() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.events)
}

// sees waits for an event that comes after the mark.
func (b *baresip) sees(event string, mark int) string {
	b.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(8 * time.Second); ; <-tick.C {
		b.mu.Lock()
		for _, e := range b.events[mark:] {
			if strings.HasPrefix(e, event) {
				b.mu.Unlock()
				return e
			}
		}
		seen := fmt.Sprint(b.events[mark:])
		b.mu.Unlock()
		if time.Now().After(end) {
			b.t.Fatalf("baresip did not say %s, but %s", event, seen)
		}
	}
}

// heard says how much of what it played at the end of the last call was our tone.
func (b *baresip) heard() float64 {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Second); ; <-tick.C {
		files, _ := filepath.Glob(filepath.Join(b.dir, "dump-*-dec.wav"))
		if len(files) == 1 {
			if pcm, rate, err := hear.ReadWAV(files[0]); err == nil && len(pcm) > rate/2 {
				return share(pcm[len(pcm)-rate/2:len(pcm)-rate/4], rate, ourTone)
			}
		}
		if time.Now().After(end) {
			b.t.Errorf("no recording in %v", files)
			return 0
		}
	}
}

// forget throws the recordings away.
func (b *baresip) forget() {
	files, _ := filepath.Glob(filepath.Join(b.dir, "dump-*"))
	for _, f := range files {
		_ = os.Remove(f)
	}
}
