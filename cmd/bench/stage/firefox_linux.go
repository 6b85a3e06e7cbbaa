package stage

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"zaseki/web/socket"
)

// Firefox is a headless Firefox, driven by WebDriver BiDi (W3C). Its sound devices are those of a Pulse.
type Firefox struct {
	cmd  *exec.Cmd
	conn *socket.Conn
	work sync.WaitGroup

	mu    sync.Mutex
	next  int
	waits map[int]chan bidiReply
}

type bidiReply struct {
	ID      int             `json:"id"`
	Type    string          `json:"type"`
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
}

// firefoxPrefs let pages have the microphone and play without a click, and keep Firefox from talking to anybody else.
var firefoxPrefs = map[string]any{
	"media.navigator.permission.disabled": true, "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0,
	"browser.shell.checkDefaultBrowser": false, "browser.aboutwelcome.enabled": false, "browser.startup.page": 0,
	"datareporting.policy.dataSubmissionEnabled": false, "toolkit.telemetry.enabled": false, "app.update.enabled": false,
	"network.captive-portal-service.enabled": false, "network.connectivity-service.enabled": false, "extensions.update.enabled": false,
	"browser.safebrowsing.malware.enabled": false, "browser.safebrowsing.phishing.enabled": false,
	"services.settings.server": "http://127.0.0.1:9/", "dom.disable_open_during_load": false, "media.cubeb.backend": "pulse",
}

// OpenFirefox starts one with that profile folder, environment and preferences besides the usual ones.
func OpenFirefox(ctx context.Context, profile string, env []string, prefs map[string]any) (*Firefox, error) {
	if err := os.MkdirAll(profile, 0o700); err != nil {
		return nil, err
	}
	var user strings.Builder
	for _, set := range []map[string]any{firefoxPrefs, prefs} {
		for name, value := range set {
			v, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&user, "user_pref(%q, %s);\n", name, v)
		}
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(user.String()), 0o600); err != nil {
		return nil, err
	}
	f := &Firefox{waits: map[int]chan bidiReply{}}
	f.cmd = exec.CommandContext(ctx, "firefox-esr", "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank")
	f.cmd.Env = append(append(os.Environ(), "HOME="+profile, "XDG_RUNTIME_DIR="+profile, "MOZ_CRASHREPORTER_DISABLE=1"), env...)
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	f.cmd.Cancel = func() error { return syscall.Kill(-f.cmd.Process.Pid, syscall.SIGKILL) }
	f.cmd.WaitDelay = 2 * time.Second
	address, err := f.start()
	if err != nil {
		return nil, err
	}
	if f.conn, err = socket.Dial(ctx, address+"/session", nil, socket.Options{Raw: socket.Text, ReadLimit: 64 << 20}); err != nil {
		f.end()
		return nil, err
	}
	f.work.Go(f.listen)
	if err := f.call("session.new", map[string]any{"capabilities": map[string]any{}}, nil); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// start waits until Firefox says where it listens.
func (f *Firefox) start() (string, error) {
	out, err := f.cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := f.cmd.Start(); err != nil {
		return "", fmt.Errorf("start firefox: %w", err)
	}
	found := make(chan string, 1)
	f.work.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, at, ok := strings.Cut(lines.Text(), "WebDriver BiDi listening on "); ok {
				found <- strings.TrimSpace(at)
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
	})
	select {
	case at := <-found:
		return at, nil
	case <-time.After(4 * patience):
		f.end()
		return "", errors.New("start firefox: it does not say where it listens")
	}
}

func (f *Firefox) end() {
	_ = syscall.Kill(-f.cmd.Process.Pid, syscall.SIGKILL)
	f.work.Wait()
	_ = f.cmd.Wait()
}

// Close ends Firefox and all its processes.
func (f *Firefox) Close() {
	_ = syscall.Kill(-f.cmd.Process.Pid, syscall.SIGKILL)
	f.conn.Close(socket.GoingAway, "")
	f.end()
}

func (f *Firefox) listen() {
	for {
		data, err := f.conn.ReadRaw(context.Background())
		if err != nil {
			return
		}
		var r bidiReply
		if json.Unmarshal(data, &r) != nil || r.Type == "event" {
			continue
		}
		f.mu.Lock()
		wait := f.waits[r.ID]
		delete(f.waits, r.ID)
		f.mu.Unlock()
		if wait != nil {
			wait <- r
		}
	}
}

// call asks and waits for the answer.
func (f *Firefox) call(method string, params any, into any) error {
	f.mu.Lock()
	f.next++
	id, wait := f.next, make(chan bidiReply, 1)
	f.waits[id] = wait
	f.mu.Unlock()
	data, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err != nil {
		return err
	}
	if err := f.conn.WriteRaw(context.Background(), data); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case r := <-wait:
		switch {
		case r.Type == "error":
			return fmt.Errorf("%s: %s: %s", method, r.Error, r.Message)
		case into == nil:
			return nil
		}
		return json.Unmarshal(r.Result, into)
	case <-f.conn.Done():
		return fmt.Errorf("%s: firefox has ended", method)
	case <-time.After(2 * patience):
		return fmt.Errorf("%s: no answer", method)
	}
}
