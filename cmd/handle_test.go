package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/tray/desktop"
	"zaseki/web/socket"
	"zaseki/web/wire"
)

// handle is a page without a browser: it posts commands and keeps the newest snapshot.
type handle struct {
	t    *testing.T
	conn *socket.Conn

	mu     sync.Mutex
	newest wire.Snapshot
	news   chan struct{} // one of capacity: the newest has changed
}

// openHandle opens the panel at the address of its ready line.
func openHandle(t *testing.T, panel string) *handle {
	t.Helper()
	base, token, _ := strings.Cut(panel, "/#")
	body, err := json.Marshal(map[string]string{"token": token})
	desktop.Must(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/session", bytes.NewReader(body))
	desktop.Must(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", base)
	res, err := http.DefaultClient.Do(req)
	desktop.Must(t, err)
	_ = res.Body.Close()
	if len(res.Cookies()) != 1 {
		t.Fatalf("session: %s", res.Status)
	}
	jar := res.Cookies()[0]
	head := http.Header{"Origin": {base}, "Cookie": {jar.Name + "=" + jar.Value}}
	h := &handle{t: t, news: make(chan struct{}, 1)}
	h.conn, err = socket.Dial(t.Context(), strings.Replace(base, "http", "ws", 1)+"/ws?page=handle-of-a-test", head, socket.Options{ReadLimit: 1 << 20})
	desktop.Must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.read()
	}()
	t.Cleanup(func() {
		h.conn.Close(socket.GoingAway, "")
		<-done
	})
	h.until("first snapshot", func(s wire.Snapshot) bool { return s.Phase != "" })
	return h
}

func (h *handle) read() {
	for {
		e, err := h.conn.Read(context.Background())
		if err != nil {
			return
		}
		said, err := wire.ParsePanel(e)
		s, ok := said.(wire.Snapshot)
		if err != nil || !ok {
			continue
		}
		h.mu.Lock()
		h.newest = s
		h.mu.Unlock()
		select {
		case h.news <- struct{}{}:
		default:
		}
	}
}

func (h *handle) snap() wire.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.newest
}

// post says a command.
func (h *handle) post(c wire.Command) {
	h.t.Helper()
	var e wire.Envelope
	var err error
	if in, ok := c.(wire.CheckAccount); ok { // its secret does not print itself
		e, err = wire.Pack("", plainCheck{in.Account, in.Password.Reveal()})
	} else {
		e, err = wire.Pack("", c)
	}
	desktop.Must(h.t, err)
	desktop.Must(h.t, h.conn.Write(h.t.Context(), e))
}

type plainCheck struct {
	Account  string `json:"account"`
	Password string `json:"password"`
}

func (plainCheck) Type() string { return wire.CheckAccount{}.Type() }

// until waits for the snapshot to be like that.
func (h *handle) until(what string, ok func(wire.Snapshot) bool) wire.Snapshot {
	h.t.Helper()
	for late := time.After(desktop.Patience); ; {
		if s := h.snap(); ok(s) {
			return s
		}
		select {
		case <-h.news:
		case <-h.conn.Done():
			h.t.Fatalf("the panel is gone, without %s", what)
		case <-late:
			s := h.snap()
			h.t.Fatalf("never came: %s; phase %s, problem %v, ask %v", what, s.Phase, s.Problem, s.Ask)
		}
	}
}

// signIn signs in with the first terminal, on break, not seated.
func (h *handle) signIn(account, password string) {
	h.t.Helper()
	h.post(wire.CheckAccount{Account: account, Password: wire.Secret(password)})
	s := h.until("step two", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseChoosing })
	h.post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusBreak})
	h.until("sign-in", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseIn && s.Status.Shown == wire.StatusBreak })
}
