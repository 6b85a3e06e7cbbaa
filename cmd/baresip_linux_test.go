package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/media"
	"zaseki/media/hear"
	"zaseki/sip"
)

const (
	theirTone = 440  // Hz, of baresip's ausine
	ourTone   = 1000 // Hz
)

// tone is a sine at 8 kHz without end.
type tone struct{ hz, at int }

func (s *tone) Next(frame []int16) bool {
	for i := range frame {
		frame[i] = int16(8000 * math.Sin(2*math.Pi*float64(s.hz*s.at)/8000))
		s.at = (s.at + 1) % 8000
	}
	return true
}

// share is how much of the sound is that tone, 0 to 1 (Goertzel).
func share(pcm []int16, rate, hz int) float64 {
	k := 2 * math.Cos(2*math.Pi*float64(hz)/float64(rate))
	var s1, s2, all float64
	for _, v := range pcm {
		s1, s2 = float64(v)+k*s1-s2, s1
		all += float64(v) * float64(v)
	}
	if all == 0 {
		return 0
	}
	return (s1*s1 + s2*s2 - k*s1*s2) / (all * float64(len(pcm)) / 2)
}

type plainSecret string

func (s plainSecret) Reveal() string { return string(s) }

// deskphone is our phone without agent and page: SIP and sound, joined as cmd/softphone joins them.
type deskphone struct {
	t     *testing.T
	line  *sip.Phone
	sound *media.Engine
	jobs  sync.WaitGroup

	mu    sync.Mutex
	sec   media.Security // of the next call
	phase map[string]string
	pcm   []int16 // heard last
	calls int
}

func newDeskphone(t *testing.T, server, secret string) *deskphone {
	t.Helper()
	d := &deskphone{t: t, phase: map[string]string{}}
	var err error
	if d.sound, err = media.New(media.Config{Codecs: []string{"PCMA", "PCMU"}}); err != nil {
		t.Fatal(err)
	}
	d.line = sip.New(sip.Config{UserAgent: "Zaseki-test", Tell: d.tell, Reoffer: d.sound.Reanswer})
	ctx, stop := context.WithCancel(context.Background())
	g, run := errgroup.WithContext(ctx)
	g.Go(func() error { return d.sound.Run(run) })
	g.Go(func() error { return d.line.Run(run) })
	t.Cleanup(func() {
		bye, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = d.line.Unregister(bye)
		stop()
		d.jobs.Wait()
		if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	begin, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	account := sip.Account{User: "agent", Domain: "pbx.test", Server: server, Transport: "udp", Password: plainSecret(secret)}
	for err = d.line.Register(begin, account); err != nil && begin.Err() == nil; err = d.line.Register(begin, account) {
		t.Log(err) // Kamailio is starting
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *deskphone) tell(e sip.Event) {
	switch e := e.(type) {
	case sip.Incoming:
		d.jobs.Go(func() { d.pickUp(e) })
	case sip.Answered:
		if err := d.sound.SetAnswer(e.Call, e.SDP); err != nil {
			d.note(e.Call, "not secure")
			d.jobs.Go(func() { _ = d.line.Hangup(context.Background(), e.Call) })
			return
		}
		d.talk(e.Call)
	case sip.Failed:
		d.note(e.Call, strconv.Itoa(e.Code))
		d.sound.CloseLine(e.Call)
	case sip.Ended:
		d.sound.CloseLine(e.Call)
	}
}

func (d *deskphone) pickUp(e sip.Incoming) {
	d.mu.Lock()
	sec := d.sec
	d.mu.Unlock()
	answer, err := d.sound.AnswerLine(e.Call, d.line.LocalAddr(), e.SDP, sec)
	if err != nil {
		d.note("", "refused")
		_ = d.line.Reject(context.Background(), e.Call, 488, "Not acceptable here")
		return
	}
	if err := d.line.Answer(context.Background(), e.Call, answer); err != nil {
		d.note("", "no ACK")
		return
	}
	d.note("", e.Call)
	d.talk(e.Call)
}

// talk speaks the tone and keeps what is heard.
func (d *deskphone) talk(call string) {
	d.sound.Play(call, &tone{hz: ourTone})
	d.sound.Listen(call, func(pcm []int16) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.pcm = append(d.pcm, pcm...)
	})
	d.note(call, "talking")
}

// note keeps what became of a call; under "" the last one that came in.
func (d *deskphone) note(call, phase string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phase[call] = phase
}

// becomes waits until a call is in one of these phases.
func (d *deskphone) becomes(call string, phases ...string) string {
	d.t.Helper()
	var now string
	d.until("call "+call+" "+strings.Join(phases, " or "), 8*time.Second, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		now = d.phase[call]
		for _, p := range phases {
			if p == now && p != "" || p == "" && now != "" {
				return true
			}
		}
		return false
	})
	return now
}

func (d *deskphone) until(what string, within time.Duration, ok func() bool) {
	d.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !ok(); <-tick.C {
		if time.Now().After(end) {
			d.t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// hears says whether half a second of what comes now is their tone.
func (d *deskphone) hears(what string) {
	d.t.Helper()
	d.mu.Lock()
	d.pcm = nil
	d.mu.Unlock()
	var heard []int16
	d.until(what, 3*time.Second, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.pcm) > 4800 {
			heard = d.pcm[len(d.pcm)-4000:]
		}
		return heard != nil
	})
	if s := share(heard, 8000, theirTone); s < 0.9 {
		d.t.Errorf("%s: %.2f of it is their tone", what, s)
	}
}

// flows waits until packets pass in these directions, or do not, for a quarter of a second.
func (d *deskphone) flows(what, call string, out, in bool) {
	d.t.Helper()
	var sent, got uint64
	for range 8 {
		before := d.sound.Stats(call)
		<-time.After(250 * time.Millisecond)
		after := d.sound.Stats(call)
		sent, got = after.Sent.Packets-before.Sent.Packets, after.Received.Packets-before.Received.Packets
		if after.Bad != 0 {
			d.t.Errorf("%s: %d bad packets", what, after.Bad)
		}
		if passes(sent) == out && passes(got) == in && (out || sent == 0) && (in || got == 0) {
			return
		}
	}
	d.t.Errorf("%s: %d packets out, %d in", what, sent, got)
}

// passes says that this many packets in a quarter of a second are sound.
func passes(packets uint64) bool { return packets >= 8 }

// reoffer holds or resumes.
func (d *deskphone) reoffer(call string, hold bool) {
	d.t.Helper()
	offer, err := d.sound.HoldOffer(call, hold)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := d.line.Reinvite(ctx, call, offer)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.sound.SetAnswer(call, answer); err != nil {
		d.t.Fatalf("%v\n%s", err, answer)
	}
}

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

// ring lets one side call the other; what becomes of it is "talking", "refused" by us, "not secure" or their code.
func (d *deskphone) ring(b *baresip, weCall bool, sec media.Security) (call, phase string) {
	d.t.Helper()
	b.forget()
	d.mu.Lock()
	d.sec = sec
	d.mu.Unlock()
	if weCall {
		d.calls++
		call = fmt.Sprint("out", d.calls)
		offer, err := d.sound.OpenLine(call, d.line.LocalAddr(), sec)
		if err == nil {
			err = d.line.Dial(context.Background(), call, b.user, offer)
		}
		if err != nil {
			d.t.Fatal(err)
		}
		return call, d.becomes(call, "")
	}
	d.note("", "")
	b.order("dial", "sip:agent@pbx.test")
	if call = d.becomes("", ""); call == "refused" || call == "no ACK" {
		return "", call
	}
	return call, d.becomes(call, "talking")
}

// holds puts the call on hold and takes it back, each side in turn.
func (d *deskphone) holds(b *baresip, call string) {
	d.t.Helper()
	d.reoffer(call, true)
	d.flows("we hold", call, true, false) // silence goes out
	d.reoffer(call, false)
	d.flows("we resumed", call, true, true)
	b.order("hold", "")
	d.flows("they hold", call, false, false)
	b.order("resume", "")
	d.flows("they resumed", call, true, true)
}

// TestSecurityMatrixWithBaresip: each of baresip's ways to encrypt against each of our policies, whoever calls, through a
// real Kamailio. Over UDP, so keys in the description are allowed by name.
func TestSecurityMatrixWithBaresip(t *testing.T) {
	need(t, "kamailio", "baresip")
	const (
		secret    = "matrix-secret"
		refused   = "refused"
		keys      = "AES_CM_128_HMAC_SHA1_80"
		handshake = "DTLS AES_CM_128_HMAC_SHA1_80"
	)
	off := media.Security{Policy: media.PolicyOff}
	optional := media.Security{Policy: media.PolicyOptional, Keys: true}
	required := media.Security{Policy: media.PolicyRequired, Keys: true}
	dtls := media.Security{Policy: media.PolicyDTLS}
	rows := []struct {
		mediaenc string
		sec      media.Security
		we, they string // the suite when we call and when they call, or what becomes of it
		hold     bool
	}{
		{"", off, "", "", true},
		{"", optional, "", "", false},
		{"", required, "488", refused, false},
		{"", dtls, "488", refused, false},
		{"srtp", off, "", "", false},
		{"srtp", optional, keys, keys, true},
		{"srtp", required, keys, keys, false},
		{"srtp", dtls, "488", refused, false},
		{"srtp-mand", off, "488", refused, false},
		{"srtp-mand", optional, "488", keys, false},
		{"srtp-mand", required, keys, keys, true},
		{"srtp-mand", dtls, "488", refused, false},
		{"dtls_srtp", off, "488", refused, false},
		{"dtls_srtp", optional, "488", handshake, false},
		{"dtls_srtp", required, "not secure", handshake, false}, // it answers keys with nothing
		{"dtls_srtp", dtls, handshake, handshake, true},
	}
	server := freePort(t, "127.0.9.1")
	kamailio(t, t.TempDir(), server, secret, `"SHA-256"`, `"MD5"`) // baresip 1.0 knows no other
	d := newDeskphone(t, server, secret)
	var b *baresip
	for i, row := range rows {
		if i == 0 || rows[i-1].mediaenc != row.mediaenc {
			b = newBaresip(t, server, secret, row.mediaenc)
		}
		for _, weCall := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, %s, we call %v", row.mediaenc, row.sec.Policy, weCall), func(t *testing.T) {
				d.t, b.t = t, t
				want := map[bool]string{true: row.we, false: row.they}[weCall]
				mark := b.mark()
				call, phase := d.ring(b, weCall, row.sec)
				if phase != "talking" {
					if phase != want {
						t.Errorf("%s, wanted %s", phase, want)
					}
					if !weCall {
						b.sees("CALL_CLOSED", mark)
					}
					return
				}
				d.hears("after the answer")
				if st := d.sound.Stats(call); st.Secure != want {
					t.Errorf("encrypted by %q, wanted %q", st.Secure, want)
				}
				if row.hold {
					d.holds(b, call)
					d.hears("after hold and resume")
				}
				d.flows("at the end", call, true, true)
				if err := d.line.Hangup(context.Background(), call); err != nil {
					t.Error(err)
				}
				b.sees("CALL_CLOSED", mark)
				if s := b.heard(); s < 0.9 {
					t.Errorf("%.2f of what baresip heard is our tone", s)
				}
			})
		}
	}
}
