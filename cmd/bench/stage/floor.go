package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/softphone/caller"
	"zaseki/media"
	"zaseki/sip"
	"zaseki/web/wire"
)

// What the test floor has: account agent1 to agent5 with Password, extensions 2001 to 2005, of which 2003 to 2005 are encrypted
// terminals when the center's exchange serves them, seats 1 to 12, queue 7000, and
// a trunk for callers outside.
const (
	Password    = "a good pass phrase"
	Queue       = "7000"
	Domain      = "floor.test"
	trunkUser   = "trunk1"
	trunkSecret = "trunk-secret-of-tests"
	Outside     = "0312345678"
)

// PBX names an outside SIP server for the phones; nil: the center's own exchange.
type PBX struct{ Server, Transport, Domain, Secret string }

// Floor writes the import file of the test floor.
func Floor(dir string, pbx *PBX) (string, error) {
	site := map[string]any{"name": "Test Center", "domain": Domain, "afterWorkSeconds": 3, "ringSeconds": 10}
	secret := ""
	if pbx != nil {
		site["sip"] = map[string]any{"server": pbx.Server, "transport": pbx.Transport, "domain": pbx.Domain, "expires": 60}
		secret = pbx.Secret
	}
	var accounts, terminals, seats []map[string]any
	for i := range 5 {
		name, ext := fmt.Sprintf("agent%d", i+1), strconv.Itoa(2001+i)
		accounts = append(accounts, map[string]any{"account": name, "name": fmt.Sprintf("Agent %d", i+1), "password": Password, "terminals": []string{ext}})
		terminal := map[string]any{"extension": ext, "account": name, "secret": secret}
		if i >= 2 && pbx == nil {
			terminal["type"] = "softphone-encrypted"
		}
		terminals = append(terminals, terminal)
	}
	terminals = append(terminals, map[string]any{"extension": trunkUser, "type": "trunk", "secret": trunkSecret})
	for i := range 12 {
		seats = append(seats, map[string]any{"id": strconv.Itoa(i + 1), "floor": "1f", "x": i % 4, "y": i / 4})
	}
	data, err := json.Marshal(map[string]any{"site": site, "accounts": accounts, "terminals": terminals, "seats": seats,
		"floors": []map[string]any{{"id": "1f", "name": "First floor"}}, "queues": []map[string]any{{"extension": Queue, "name": "Orders"}}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "floor.json")
	return file, os.WriteFile(file, data, 0o600)
}

// StartCenter starts a center on free ports and imports the file.
func StartCenter(ctx context.Context, bin, dir, floor string) (*Program, error) {
	p, err := start(ctx, bin, dir, "127.0.0.1:0", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, bin, "import", "-data", filepath.Join(dir, "data"), floor).CombinedOutput(); err != nil {
		p.Stop()
		return nil, fmt.Errorf("import: %w\n%s", err, out)
	}
	return p, nil
}

// Restart starts the center of that folder again, where the one before it listened.
func Restart(ctx context.Context, bin, dir string, before *Program) (*Program, error) {
	return start(ctx, bin, dir, strings.TrimPrefix(before.String("http"), "http://"), before.String("sip"))
}

func start(ctx context.Context, bin, dir, http, sip string) (*Program, error) {
	return Start(ctx, bin, nil, "-data", filepath.Join(dir, "data"), "-http", http, "-sip", sip)
}

// StartPhone starts a softphone without tray and browser.
func StartPhone(ctx context.Context, bin, dir, center string) (*Program, error) {
	return Start(ctx, bin, []string{"DBUS_SESSION_BUS_ADDRESS="}, "-config", dir, "-panel", "127.0.0.1:0", "-no-tray", "-no-browser", "-center", center, "-lang", "en")
}

// Customer is a caller outside who speaks the tape and hears into the ear.
type Customer struct {
	*caller.Caller
	Ear    *Ear
	Events chan sip.Event
	Talks  chan string // lines on which sound flows

	firsts chan media.FirstPacket
}

// NewCustomer registers at the center's exchange as its trunk; it stays until ctx ends.
func NewCustomer(ctx context.Context, center *Program, says []int16) (*Customer, error) {
	c := &Customer{Ear: &Ear{}, Events: make(chan sip.Event, 1000), Talks: make(chan string, 10), firsts: make(chan media.FirstPacket, 100)}
	var err error
	c.Caller, err = caller.New(caller.Config{Server: center.String("sip"), Domain: Domain, User: trunkUser, Secret: wire.Secret(trunkSecret),
		From: Outside, Name: "Tanaka", Told: func(e sip.Event) {
			select {
			case c.Events <- e:
			default: // nobody reads any more
			}
		},
		Heard: func(_ *caller.Caller, e media.Event) {
			if first, ok := e.(media.FirstPacket); ok && !first.Out {
				c.firsts <- first
			}
		},
		Talk: func(who *caller.Caller, line string) {
			who.Sound.Play(line, NewTape(says))
			who.Sound.Listen(line, c.Ear.Hear)
			c.Talks <- line
		}})
	return c, err
}

// First is when the first RTP packet came in on that line.
func (c *Customer) First(line string) (time.Time, error) {
	for end := time.After(10 * time.Second); ; {
		select {
		case f := <-c.firsts:
			if f.Line == line {
				return f.At, nil
			}
		case <-end:
			return time.Time{}, fmt.Errorf("no sound came in on %s", line)
		}
	}
}

// Ready waits for the registration.
func (c *Customer) Ready(ctx context.Context) error {
	select {
	case <-c.Registered():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(10 * time.Second):
		return fmt.Errorf("the customer's trunk does not register")
	}
}
