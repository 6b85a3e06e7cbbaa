package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"zaseki/static"
)

const (
	portal         = "org.freedesktop.portal.Desktop"
	portalPath     = "/org/freedesktop/portal/desktop"
	portalKeysName = "org.freedesktop.portal.GlobalShortcuts"
	portalRequest  = "org.freedesktop.portal.Request"
	portalSession  = "org.freedesktop.portal.Session"
	portalRegistry = "org.freedesktop.host.portal.Registry"

	// portalWait is how long a call to the portal may take, askedWait how long a person may think about the desktop's question which
	// keys they grant.
	portalWait = 5 * time.Second
	askedWait  = time.Minute
	// heldKey is for how long a key that went down and never up is taken for held: some portals repeat it, and some tell of no key that
	// goes up.
	heldKey = time.Second
)

// portalKeys are the keys of a Wayland desktop, given by its portal (org.freedesktop.portal.GlobalShortcuts). A session of the portal is
// bound once, and the desktop may ask the person about it: all keys are bound together, and every change makes a new session.
type portalKeys struct {
	conn *dbus.Conn
	say  func(name string) string // what the desktop calls the key of that setting
	out  chan string
	wait sync.WaitGroup

	wanted, bound map[string]string // chords by name; bound: what the session was asked for
	granted       map[string]bool   // by name
	failed        error             // of the last binding
	serial        int               // of requests and sessions

	mu      sync.Mutex // guards what listen reads
	answers map[dbus.ObjectPath]chan portalAnswer
	session dbus.ObjectPath
	down    map[string]time.Time // keys that went down
}

// portalAnswer is a Response: 0 is yes, 1 the person's no, 2 another end.
type portalAnswer struct {
	code    uint32
	results map[string]dbus.Variant
}

type portalKey struct {
	ID      string
	Options map[string]dbus.Variant
}

// openPortal connects to the portal of this login's desktop, if it has one for keys.
func openPortal() (*portalKeys, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return nil, errors.New("no desktop session bus")
	}
	lang := "en"
	if strings.HasPrefix(os.Getenv("LANG"), "ja") {
		lang = "ja"
	}
	p := &portalKeys{conn: conn, out: make(chan string, 16), say: func(name string) string { return static.Say(lang, "set."+name, nil) },
		wanted: map[string]string{}, granted: map[string]bool{}, answers: map[dbus.ObjectPath]chan portalAnswer{}, down: map[string]time.Time{}}
	signals := make(chan *dbus.Signal, 64)
	if err := p.join(signals); err != nil {
		_ = conn.Close()
		return nil, err
	}
	p.wait.Go(func() { p.listen(signals) })
	return p, nil
}

func (p *portalKeys) join(signals chan *dbus.Signal) error {
	if err := errors.Join(p.conn.Auth(nil), p.conn.Hello()); err != nil {
		return fmt.Errorf("desktop session bus: %w", err)
	}
	p.conn.Signal(signals)
	for _, name := range []string{portalKeysName, portalRequest, portalSession} {
		if err := p.conn.AddMatchSignal(dbus.WithMatchInterface(name), dbus.WithMatchSender(portal)); err != nil {
			return fmt.Errorf("desktop session bus: %w", err)
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), portalWait)
	defer stop()
	// Portals since 1.20 want to know who asks; the others know it already.
	_ = p.object().CallWithContext(ctx, portalRegistry+".Register", 0, "zaseki", map[string]dbus.Variant{}).Err
	var version dbus.Variant
	if err := p.object().CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, portalKeysName, "version").Store(&version); err != nil {
		return errors.New("this Wayland desktop has no portal for global keys")
	}
	return nil
}

func (p *portalKeys) object() dbus.BusObject { return p.conn.Object(portal, portalPath) }

// wants says which keys are wanted altogether, so that the desktop asks about all of them once.
func (p *portalKeys) wants(chords map[string]string) { p.wanted = maps.Clone(chords) }

func (p *portalKeys) take(name, chord string) error {
	if chord == "" {
		delete(p.wanted, name)
	} else {
		p.wanted[name] = chord
	}
	if p.bound == nil || !maps.Equal(p.wanted, p.bound) {
		p.bound = maps.Clone(p.wanted)
		p.granted, p.failed = map[string]bool{}, nil
		p.end()
		if len(p.bound) > 0 {
			p.failed = p.bind()
		}
	}
	switch {
	case chord == "":
		return nil
	case p.failed != nil:
		p.bound = nil // the next change asks again
		return p.failed
	case !p.granted[name]:
		return fmt.Errorf("the desktop did not grant %s", chord)
	}
	return nil
}

// end gives all keys back.
func (p *portalKeys) end() {
	p.mu.Lock()
	session := p.session
	p.session = ""
	clear(p.down)
	p.mu.Unlock()
	if session != "" {
		_ = p.conn.Object(portal, session).Call(portalSession+".Close", dbus.FlagNoReplyExpected).Err
	}
}

// bind makes a session with the wanted keys. The person may be asked about them.
func (p *portalKeys) bind() error {
	token := fmt.Sprintf("zaseki%d", p.serial+1)
	made, err := p.ask(portalWait, portalKeysName+".CreateSession", func(options map[string]dbus.Variant) []any {
		options["session_handle_token"] = dbus.MakeVariant(token)
		return []any{options}
	})
	if err != nil {
		return err
	}
	handle, _ := made["session_handle"].Value().(string) // a string, for reasons of history
	session := dbus.ObjectPath(handle)
	if !session.IsValid() {
		return errors.New("the desktop's portal made no session")
	}
	p.mu.Lock()
	p.session = session
	p.mu.Unlock()
	var keys []portalKey
	for name, chord := range p.bound {
		keys = append(keys, portalKey{name, map[string]dbus.Variant{"description": dbus.MakeVariant(p.say(name)),
			"preferred_trigger": dbus.MakeVariant(portalChord(chord))}})
	}
	bound, err := p.ask(askedWait, portalKeysName+".BindShortcuts", func(options map[string]dbus.Variant) []any {
		return []any{session, keys, "", options}
	})
	if err != nil {
		return err
	}
	var given []portalKey
	if err := dbus.Store([]any{bound["shortcuts"].Value()}, &given); err != nil {
		return fmt.Errorf("the desktop's portal: %w", err)
	}
	for _, k := range given {
		p.granted[k.ID] = true
	}
	return nil
}

// ask makes a request and waits for its answer, which comes as a signal and may come first (org.freedesktop.portal.Request).
func (p *portalKeys) ask(long time.Duration, method string, args func(options map[string]dbus.Variant) []any) (map[string]dbus.Variant, error) {
	p.serial++
	token := fmt.Sprintf("zaseki%d", p.serial)
	us := strings.ReplaceAll(strings.TrimPrefix(p.conn.Names()[0], ":"), ".", "_")
	path := dbus.ObjectPath(portalPath + "/request/" + us + "/" + token)
	answer := make(chan portalAnswer, 1)
	p.mu.Lock()
	p.answers[path] = answer
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.answers, path)
		p.mu.Unlock()
	}()
	ctx, stop := context.WithTimeout(context.Background(), long)
	defer stop()
	call := p.object().CallWithContext(ctx, method, 0, args(map[string]dbus.Variant{"handle_token": dbus.MakeVariant(token)})...)
	if call.Err != nil {
		return nil, fmt.Errorf("the desktop's portal: %w", call.Err)
	}
	select {
	case a := <-answer:
		if a.code == 0 {
			return a.results, nil
		}
		return nil, errors.New("the question about keys was declined on the desktop")
	case <-p.conn.Context().Done():
		return nil, errors.New("the desktop session is gone")
	case <-ctx.Done():
		_ = p.conn.Object(portal, path).Call(portalRequest+".Close", dbus.FlagNoReplyExpected).Err
		return nil, errors.New("nobody answered the desktop's question about keys")
	}
}

func (p *portalKeys) pressed() <-chan string { return p.out }

func (p *portalKeys) close() {
	p.end()
	_ = p.conn.Close()
	for range p.out { // until listen has ended
	}
	p.wait.Wait()
}

// listen hears the portal until the bus or the session ends.
func (p *portalKeys) listen(signals <-chan *dbus.Signal) {
	defer close(p.out)
	for s := range signals {
		switch s.Name {
		case portalRequest + ".Response":
			p.answered(s)
		case portalSession + ".Closed":
			p.mu.Lock()
			ours := s.Path == p.session
			p.mu.Unlock()
			if ours {
				return
			}
		case portalKeysName + ".Activated", portalKeysName + ".Deactivated":
			if name := p.moved(s, time.Now()); name != "" {
				p.out <- name
			}
		}
	}
}

func (p *portalKeys) answered(s *dbus.Signal) {
	var a portalAnswer
	if dbus.Store(s.Body, &a.code, &a.results) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if to := p.answers[s.Path]; to != nil {
		delete(p.answers, s.Path)
		to <- a
	}
}

// moved is the name of the key that went down now; "" where one is held, went up, or is not of our session.
func (p *portalKeys) moved(s *dbus.Signal, at time.Time) string {
	if len(s.Body) < 2 {
		return ""
	}
	session, _ := s.Body[0].(dbus.ObjectPath)
	name, _ := s.Body[1].(string)
	p.mu.Lock()
	defer p.mu.Unlock()
	if session != p.session || session == "" {
		return ""
	}
	if s.Name == portalKeysName+".Deactivated" {
		delete(p.down, name)
		return ""
	}
	last, held := p.down[name]
	p.down[name] = at
	if held && at.Sub(last) < heldKey {
		return ""
	}
	return name
}

// portalChord is a chord as the desktops write it (XDG shortcuts specification).
func portalChord(chord string) string {
	parts := strings.Split(chord, "+")
	key := parts[len(parts)-1]
	named := map[string]string{"Space": "space", "PageUp": "Page_Up", "PageDown": "Page_Down", "MediaPlayPause": "XF86AudioPlay", "MediaStop": "XF86AudioStop"}
	switch {
	case named[key] != "":
		key = named[key]
	case len(key) == 1:
		key = strings.ToLower(key)
	}
	all := []string{}
	for _, m := range parts[:len(parts)-1] {
		all = append(all, map[string]string{"Ctrl": "CTRL", "Alt": "ALT", "Shift": "SHIFT", "Super": "LOGO"}[m])
	}
	return strings.Join(append(all, key), "+")
}
