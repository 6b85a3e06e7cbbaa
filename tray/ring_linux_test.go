package tray

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// startSound starts a PulseAudio of the test's own whose device is that module, and points this process at it.
func startSound(t *testing.T, module ...string) *os.Process {
	t.Helper()
	daemon, dir := desktop.Need(t, "pulseaudio"), t.TempDir()
	socket := filepath.Join(dir, "native")
	args := []string{"-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes", "--high-priority=no",
		"-L", "module-native-protocol-unix auth-anonymous=1 socket=" + socket}
	for _, m := range module {
		args = append(args, "-L", m)
	}
	cmd := exec.Command(daemon, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "PULSE_RUNTIME_PATH=" + dir}
	log := &logBuffer{}
	cmd.Stderr = log
	desktop.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pulseaudio:\n%s", log)
		}
	})
	desktop.Eventually(t, "sound server", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	t.Setenv("PULSE_SERVER", "unix:"+socket)
	t.Setenv("PULSE_COOKIE", filepath.Join(dir, "none"))
	return cmd.Process
}

func TestTheRingReallySoundsOnADevice(t *testing.T) {
	slow(t)
	startSound(t, "module-null-sink sink_name=ear")
	out := listen(t, "ear")
	ctx, stop := context.WithCancel(t.Context())
	heard, done := make(chan struct{}, 9), make(chan error, 1)
	go func() { done <- playTone(ctx, ringTone(false), nil, func() { heard <- struct{}{} }) }()
	select {
	case <-heard:
	case <-time.After(desktop.Patience):
		t.Fatal("never heard")
	}
	waitFor(t, out, loud, "tone")
	waitFor(t, out, silent, "pause")
	waitFor(t, out, loud, "tone again")
	stop()
	desktop.Must(t, <-done)
	waitFor(t, out, silent, "silence after the end")
	if len(heard) != 0 {
		t.Error("heard more than once")
	}
}

// listen records what is played on that sink.
func listen(t *testing.T, sink string) io.Reader {
	t.Helper()
	record := exec.Command(desktop.Need(t, "parec"), "--device="+sink+".monitor", "--format=s16le", "--channels=1", "--rate=24000", "--latency-msec=20")
	out, err := record.StdoutPipe()
	desktop.Must(t, err)
	desktop.Must(t, record.Start())
	t.Cleanup(func() { _ = record.Process.Kill(); _ = record.Wait() })
	return out
}

func loud(level float64) bool   { return level > 1000 }
func silent(level float64) bool { return level < 1 }

func TestTheRingTakesThePreferredDeviceAndGoesOnWhereItIsUnplugged(t *testing.T) {
	slow(t)
	startSound(t, "module-null-sink sink_name=ear sink_properties=device.description=Headset",
		"module-null-sink sink_name=room sink_properties=device.description=Room", "module-null-sink sink_name=desk sink_properties=device.description=Desk")
	rings := make(chan []string, 9)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	watched := make(chan struct{})
	go func() { defer close(watched); watchRings(ctx, func(names []string) { rings <- names }) }()
	if got := <-rings; !slices.Equal(got, []string{"Headset", "Room", "Desk"}) {
		t.Errorf("rings on %v", got)
	}
	ear, room, desk := listen(t, "ear"), listen(t, "room"), listen(t, "desk")
	done := make(chan error, 1)
	go func() { done <- playTone(ctx, ringTone(false), []string{"Gone", "Room", "Desk"}, func() {}) }()
	waitFor(t, room, loud, "ring in the room")
	unplug := func(sink string) {
		desktop.Must(t, exec.Command(desktop.Need(t, "pactl"), "unload-module", moduleOf(t, sink)).Run())
	}
	unplug("room")
	waitFor(t, desk, loud, "ring at the desk, the next one")
	if got := <-rings; !slices.Equal(got, []string{"Headset", "Desk"}) {
		t.Errorf("rings on %v", got)
	}
	unplug("desk")
	waitFor(t, ear, loud, "ring in the headset, the system's own choice")
	stop()
	desktop.Must(t, <-done)
	waitFor(t, ear, silent, "silence after the end")
	<-watched
}

func TestTheRingBeginsOnADeviceThatIsPluggedInMeanwhile(t *testing.T) {
	slow(t)
	startSound(t, "module-null-sink sink_name="+dummySink)
	dummy := listen(t, dummySink) // keeps it awake: it would sleep for two seconds
	waitFor(t, dummy, silent, "silence")
	agent := &script{snaps: make(chan wire.Snapshot, 1)}
	tries := make(chan struct{}, 99)
	r := &ringer{cfg: Config{Agent: agent, Log: slog.New(slog.DiscardHandler)}, play: func(ctx context.Context, t tone, on []string, heard func()) error {
		tries <- struct{}{}
		return playTone(ctx, t, on, heard)
	}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.run(ctx) }()
	agent.snaps <- wire.Snapshot{Calls: []wire.Call{offered("c1", "")}}
	for range 2 { // it found none, and looks again
		<-tries
	}
	desktop.Must(t, exec.Command(desktop.Need(t, "pactl"), "load-module", "module-remap-sink", "sink_name=ear", "master="+dummySink).Run())
	desktop.Must(t, exec.Command("pactl", "set-default-sink", "ear").Run())
	plugged := time.Now()
	desktop.Eventually(t, "told that it was heard", func() bool {
		agent.mu.Lock()
		defer agent.mu.Unlock()
		return len(agent.posted) == 1 && agent.posted[0] == (wire.RingHeard{Call: "c1"})
	})
	took := time.Since(plugged)
	t.Logf("rings %v after the device was plugged in", took)
	if took > time.Second {
		t.Errorf("rings %v after the device was plugged in, want a second at most", took)
	}
	waitFor(t, dummy, loud, "ring")
	stop()
	desktop.Must(t, <-done)
	waitFor(t, dummy, silent, "silence after the end")
}

// moduleOf is the number of the module that makes that sink.
func moduleOf(t *testing.T, sink string) string {
	t.Helper()
	list, err := exec.Command(desktop.Need(t, "pactl"), "list", "short", "modules").Output()
	desktop.Must(t, err)
	for _, line := range strings.Split(string(list), "\n") {
		if strings.Contains(line, "sink_name="+sink) {
			return strings.Fields(line)[0]
		}
	}
	t.Fatalf("no module makes sink %s:\n%s", sink, list)
	return ""
}

// waitFor reads the recording in slices of 50 ms until one has the wanted level (root of the mean square).
func waitFor(t *testing.T, from io.Reader, ok func(level float64) bool, what string) {
	t.Helper()
	slice := make([]byte, 2*24000/20)
	for range 20 * 10 {
		if _, err := io.ReadFull(from, slice); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var sum float64
		for i := 0; i < len(slice); i += 2 {
			v := float64(int16(binary.LittleEndian.Uint16(slice[i:])))
			sum += v * v
		}
		if ok(math.Sqrt(sum / float64(len(slice)/2))) {
			return
		}
	}
	t.Fatalf("ten seconds without %s", what)
}

func TestADummyDeviceIsNoDevice(t *testing.T) {
	startSound(t, "module-always-sink")
	err := playTone(t.Context(), ringTone(false), nil, func() { t.Error("claimed to be heard") })
	if !errors.Is(err, errNoDevice) {
		t.Errorf("%v, want %v", err, errNoDevice)
	}
}

func TestWithoutASoundServerThereIsNoDevice(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("PULSE_SERVER", "")
	os.Unsetenv("PULSE_SERVER")
	err := playTone(t.Context(), ringTone(false), nil, func() { t.Error("claimed to be heard") })
	if !errors.Is(err, errNoDevice) {
		t.Errorf("%v, want %v", err, errNoDevice)
	}
}

func TestALostSoundServerEndsTheRing(t *testing.T) {
	slow(t)
	server := startSound(t, "module-null-sink sink_name=ear")
	heard, done := make(chan struct{}, 9), make(chan error, 1)
	go func() { done <- playTone(t.Context(), ringTone(false), nil, func() { heard <- struct{}{} }) }()
	<-heard
	desktop.Must(t, server.Kill())
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(desktop.Patience):
		t.Fatal("the ring goes on without a server")
	}
}
