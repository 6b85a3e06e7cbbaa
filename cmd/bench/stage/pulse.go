package stage

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Pulse is a sound server of its own: microphones that play a file, loudspeakers that are recorded.
type Pulse struct {
	socket  string
	dir     string
	server  *exec.Cmd
	mu      sync.Mutex
	running []*exec.Cmd
	work    sync.WaitGroup
}

// StartPulse starts one; Close ends it and everything that plays and records.
func StartPulse(ctx context.Context, dir string) (*Pulse, error) {
	p := &Pulse{socket: filepath.Join(dir, "pulse"), dir: dir}
	p.server = exec.CommandContext(ctx, "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes",
		"--high-priority=no", "-L", "module-native-protocol-unix auth-anonymous=1 socket="+p.socket,
		"-L", "module-null-sink sink_name=nowhere sink_properties=device.description=Nowhere") // else the first sink is everybody's default
	p.server.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "PULSE_RUNTIME_PATH=" + dir}
	if err := p.server.Start(); err != nil {
		return nil, fmt.Errorf("start pulseaudio: %w", err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", p.socket)
		if err == nil {
			return p, conn.Close()
		}
		if time.Now().After(end) {
			p.Close()
			return nil, fmt.Errorf("start pulseaudio: %w", err)
		}
	}
}

// Env is what a program needs in order to use it.
func (p *Pulse) Env() []string {
	return []string{"PULSE_SERVER=unix:" + p.socket, "PULSE_COOKIE=" + filepath.Join(p.dir, "cookie")}
}

func (p *Pulse) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), p.Env()...)
	return cmd
}

func (p *Pulse) control(args ...string) error {
	if out, err := p.command("pactl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("pactl %v: %w: %s", args, err, out)
	}
	return nil
}

// Microphone adds one that browsers show by that label, and plays a WAV file into it once; Often makes that last. The first one is
// the system's choice until another is chosen.
func (p *Pulse) Microphone(name, label, file string) error {
	if err := p.control("load-module", "module-null-sink", "sink_name="+name+"_in", "rate=48000"); err != nil {
		return err
	}
	if err := p.control("load-module", "module-remap-source", "source_name="+name, "master="+name+"_in.monitor", "source_properties=device.description="+label); err != nil {
		return err
	}
	if err := p.control("set-default-source", name); err != nil {
		return err
	}
	return p.start(p.command("paplay", "--latency-msec=20", "--device="+name+"_in", file))
}

// Speaker adds a loudspeaker of that label, and gives what it plays, at 8 kHz.
func (p *Pulse) Speaker(name, label string) (*Ear, error) {
	if err := p.control("load-module", "module-null-sink", "sink_name="+name, "rate=48000", "sink_properties=device.description="+label); err != nil {
		return nil, err
	}
	if err := p.control("set-default-sink", name); err != nil {
		return nil, err
	}
	cmd := p.command("parec", "--device="+name+".monitor", "--format=s16le", "--channels=1", "--rate=8000", "--latency-msec=20")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	ear := &Ear{}
	if err := p.start(cmd); err != nil {
		return nil, err
	}
	p.work.Go(func() {
		buf, pcm := make([]byte, 320), make([]int16, 160)
		for {
			if _, err := io.ReadFull(out, buf); err != nil {
				return
			}
			for i := range pcm {
				pcm[i] = int16(binary.LittleEndian.Uint16(buf[2*i:]))
			}
			ear.Hear(pcm)
		}
	})
	return ear, nil
}

// Mute lets a microphone give exact silence, or no more.
func (p *Pulse) Mute(name string, on bool) error {
	return p.control("set-source-mute", name, map[bool]string{true: "1", false: "0"}[on])
}

// Unplug takes a microphone or a loudspeaker away. Who used it is moved to another one, as the system does.
func (p *Pulse) Unplug(name string) error {
	out, err := p.command("pactl", "list", "short", "modules").Output()
	if err != nil {
		return fmt.Errorf("list modules: %w", err)
	}
	for _, module := range modulesOf(string(out), name) {
		if err := p.control("unload-module", module); err != nil {
			return err
		}
	}
	return nil
}

// modulesOf are the numbers of the modules that made a device, newest first.
func modulesOf(list, name string) []string {
	var numbers []string
	for line := range strings.Lines(list) {
		number, rest, _ := strings.Cut(line, "\t")
		for word := range strings.FieldsSeq(rest) {
			if word == "source_name="+name || word == "sink_name="+name {
				numbers = append([]string{number}, numbers...)
			}
		}
	}
	return numbers
}

func (p *Pulse) start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, cmd)
	return nil
}

// Close ends everything.
func (p *Pulse) Close() {
	p.mu.Lock()
	running := p.running
	p.running = nil
	p.mu.Unlock()
	for _, cmd := range running {
		_ = cmd.Process.Kill()
	}
	p.work.Wait() // before Wait, which closes the pipes
	for _, cmd := range running {
		_ = cmd.Wait()
	}
	_ = p.server.Process.Signal(syscall.SIGTERM)
	_ = p.server.Wait()
}
