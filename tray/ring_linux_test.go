package tray

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zaseki/tray/desktop"
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
	record := exec.Command(desktop.Need(t, "parec"), "--device=ear.monitor", "--format=s16le", "--channels=1", "--rate=24000", "--latency-msec=20")
	out, err := record.StdoutPipe()
	desktop.Must(t, err)
	desktop.Must(t, record.Start())
	defer func() { _ = record.Process.Kill(); _ = record.Wait() }()

	ctx, stop := context.WithCancel(t.Context())
	heard, done := make(chan struct{}, 9), make(chan error, 1)
	go func() { done <- playTone(ctx, ringTone(false), func() { heard <- struct{}{} }) }()
	select {
	case <-heard:
	case <-time.After(desktop.Patience):
		t.Fatal("never heard")
	}
	waitFor(t, out, func(level float64) bool { return level > 1000 }, "tone")
	waitFor(t, out, func(level float64) bool { return level < 1 }, "pause")
	waitFor(t, out, func(level float64) bool { return level > 1000 }, "tone again")
	stop()
	desktop.Must(t, <-done)
	waitFor(t, out, func(level float64) bool { return level < 1 }, "silence after the end")
	if len(heard) != 0 {
		t.Error("heard more than once")
	}
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
	err := playTone(t.Context(), ringTone(false), func() { t.Error("claimed to be heard") })
	if !errors.Is(err, errNoDevice) {
		t.Errorf("%v, want %v", err, errNoDevice)
	}
}

func TestWithoutASoundServerThereIsNoDevice(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("PULSE_SERVER", "")
	os.Unsetenv("PULSE_SERVER")
	err := playTone(t.Context(), ringTone(false), func() { t.Error("claimed to be heard") })
	if !errors.Is(err, errNoDevice) {
		t.Errorf("%v, want %v", err, errNoDevice)
	}
}

func TestALostSoundServerEndsTheRing(t *testing.T) {
	slow(t)
	server := startSound(t, "module-null-sink sink_name=ear")
	heard, done := make(chan struct{}, 9), make(chan error, 1)
	go func() { done <- playTone(t.Context(), ringTone(false), func() { heard <- struct{}{} }) }()
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
