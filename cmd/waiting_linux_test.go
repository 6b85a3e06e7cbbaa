package cmd_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/media/hear"
	"zaseki/sip"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// TestABaresipWaitsInAQueue: a real foreign phone is answered by the center, hears its music, and is brought to the agent who becomes
// free, by a re-INVITE that it has to follow.
func TestABaresipWaitsInAQueue(t *testing.T) {
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	if _, err := exec.LookPath("baresip"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("baresip must be there in CI")
		}
		t.Skip("baresip is not installed (Debian: baresip-core)")
	}
	c := waitingCenter(t)
	b := newBaresip(t, c.SIP(), "bare-secret", "")
	d := newDeskphoneBy(t, sip.Account{Server: c.SIP(), Transport: "udp", Password: plainSecret("agent-secret")})
	mark := b.mark()
	b.order("dial", "sip:7000@pbx.test")
	b.sees("CALL_ESTABLISHED", mark)
	waited := time.NewTimer(3 * time.Second) // what it hears until then is music
	defer waited.Stop()
	<-waited.C
	atWork(t, c)
	d.becomes("", "")
	d.mu.Lock()
	call := d.phase[""]
	d.mu.Unlock()
	d.becomes(call, "talking")
	d.hears("baresip's tone")
	d.until("two seconds of our tone left", 20*time.Second, func() bool { return d.sound.Stats(call).Sent.Packets > 100 })
	if err := d.line.Hangup(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	b.sees("CALL_CLOSED", mark)
	music, tone := b.heardAll()
	if music < 60 || tone < 10 { // of 20 ms
		t.Errorf("it heard %d frames of music and %d of the agent", music, tone)
	}
}

// heardAll is how many frames of 20 ms it has played in all that were our tone, and that were another sound.
func (b *baresip) heardAll() (other, tone int) {
	b.t.Helper()
	files, _ := filepath.Glob(filepath.Join(b.dir, "dump-*-dec.wav"))
	for _, f := range files {
		pcm, rate, err := hear.ReadWAV(f)
		if err != nil {
			b.t.Fatal(err)
		}
		for frame := rate / 50; len(pcm) >= frame; pcm = pcm[frame:] {
			loud := 0
			for _, v := range pcm[:frame] {
				loud = max(loud, int(v), -int(v))
			}
			switch {
			case loud < 300:
			case share(pcm[:frame], rate, ourTone) > 0.6:
				tone++
			default:
				other++
			}
		}
	}
	return other, tone
}

// waitingCenter is a center with a queue that plays music, a foreign phone, and an agent with a desk phone.
func waitingCenter(t *testing.T) *node.Node {
	t.Helper()
	c, err := node.New(node.Config{Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", SIPS: "off", Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	site := roster.DefaultSite()
	site.Domain = "pbx.test"
	setup := roster.Setup{
		Site:     &site,
		Accounts: []roster.AccountSetup{{Account: "sato", Name: "佐藤", Password: "correct horse"}},
		Terminals: []roster.TerminalSetup{{Extension: "bare", Type: "desk", Secret: "bare-secret"},
			{Extension: "agent", Type: "desk", Secret: "agent-secret"}},
		Queues: []roster.QueueSetup{{Extension: "7000", Name: "Support", Wait: "music", Place: true, Language: "en"}},
	}
	if err := c.Apply(t.Context(), setup); err != nil {
		t.Fatal(errors.Join(err, c.Close()))
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	return c
}

// atWork signs the agent in with the desk phone, ready for calls.
func atWork(t *testing.T, c *node.Node) {
	t.Helper()
	u := uplink.New(uplink.Config{URL: c.HTTP(), Machine: "test", Version: "test", Log: slog.New(slog.DiscardHandler), Tell: func(uplink.Event) {}})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- u.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ran
	})
	if _, err := u.Check(t.Context(), "sato", "correct horse"); err != nil {
		t.Fatal(err)
	}
	if _, err := u.SignIn(t.Context(), wire.SignIn{Terminal: "agent", Status: wire.StatusAvailable}); err != nil {
		t.Fatal(err)
	}
}
