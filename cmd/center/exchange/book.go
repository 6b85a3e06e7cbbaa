package exchange

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/sip/dialog"
)

// beatEvery is how exactly the book knows when a process ended without a word.
const beatEvery = time.Second

// book keeps on disk what is needed to take up the calls alive when this process ends without a word (kill -9, a fault, the power):
// a file for each call, from its first word to its end. It is of this node and of no worth when the calls are over: written without
// fsync and in no backup. nil: nothing is kept.
type book struct {
	dir string
	log *slog.Logger
}

// entry is one call. Three kinds: answered (A and B), a caller who hears us (A alone), and one who has had provisional answers only
// (Invite, of who came by UDP: a connection ended with the process).
type entry struct {
	page   page
	Record CallRecord     `json:"record"`
	Caller string         `json:"caller"` // SIP user
	Queue  string         `json:"queue,omitempty"`
	Invite string         `json:"invite,omitempty"`
	From   netip.AddrPort `json:"from,omitzero"`
	A      *side          `json:"a,omitempty"`
	B      *side          `json:"b,omitempty"`
	Rings  []ring         `json:"rings,omitempty"` // phones that were asked
	Told   bool           `json:"told,omitempty"`  // the record is history: only the caller's place is kept
}

// side is a leg that was answered.
type side struct {
	dialog.Saved
	Terminal string       `json:"terminal"`
	As       dialog.Party `json:"as"` // how the other side sees it
	Trunk    bool         `json:"trunk,omitempty"`
	Said     string       `json:"said,omitempty"` // its description
}

// ring is a phone that was asked over UDP.
type ring struct {
	Invite string         `json:"invite"`
	Peer   netip.AddrPort `json:"peer"`
}

func openBook(dir string, log *slog.Logger) (*book, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &book{dir, log}, nil
}

// page is one thing in the book, in a file whose name ends with its number. Each time it is written a new file is made, and the old one
// removed: a process that ends meanwhile leaves one of them whole, and a file system does not write out what is gone soon, as it does
// with a file that is put in the place of another (ext4: a millisecond).
type page struct {
	name string
	n    int // of the file there is; 0: none
}

func (p page) file() string { return p.name + "." + strconv.Itoa(p.n) + ".json" }

// write notes v. The page is only its owner's.
func (b *book) write(p *page, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	next := page{p.name, p.n + 1}
	if err := os.WriteFile(filepath.Join(b.dir, next.file()), data, 0o600); err != nil {
		return err
	}
	b.tear(*p)
	*p = next
	return nil
}

// tear takes a page out; none is no error.
func (b *book) tear(p page) {
	if b == nil || p.n == 0 {
		return
	}
	if err := os.Remove(filepath.Join(b.dir, p.file())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.log.Warn("a call that is over stays in the book", "err", err)
	}
}

// pages are those in the book, with what stands there. Of one that is there twice the newer counts, when it is whole.
func (b *book) pages(whole func(p page, data []byte) bool) {
	files, err := os.ReadDir(b.dir)
	if err != nil {
		b.log.Warn("the book of calls", "err", err)
	}
	var all []page
	for _, f := range files {
		rest, ok := strings.CutSuffix(f.Name(), ".json")
		name, number, numbered := cutLast(rest, ".")
		if n, err := strconv.Atoi(number); ok && numbered && err == nil && n > 0 {
			all = append(all, page{name, n})
		}
	}
	slices.SortFunc(all, func(a, b page) int { return b.n - a.n })
	had := map[string]bool{}
	for _, p := range all {
		data, err := os.ReadFile(filepath.Join(b.dir, p.file()))
		if err == nil && !had[p.name] && whole(p, data) {
			had[p.name] = true
			continue
		}
		b.tear(p)
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

const pulse = "alive" // its time is when we were there last

func (b *book) beat() {
	path, now := filepath.Join(b.dir, pulse), time.Now()
	if os.Chtimes(path, now, now) == nil {
		return
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		b.log.Warn("the book of calls cannot be kept", "err", err)
	}
}

// read is what the process before left: its calls, the oldest first, who was registered, and when it was there last. What cannot be
// read is thrown away: it must not keep the center from starting.
func (b *book) read() *before {
	left := &before{again: map[string]entry{}, places: map[place]placed{}, page: page{name: phonesPage}}
	if b == nil {
		return left
	}
	if about, err := os.Stat(filepath.Join(b.dir, pulse)); err == nil {
		left.until = about.ModTime()
	}
	b.pages(func(p page, data []byte) bool {
		if p.name == phonesPage {
			left.page = p
			return json.Unmarshal(data, &left.phones) == nil
		}
		e := entry{page: p}
		if err := json.Unmarshal(data, &e); err != nil || e.Record.ID == "" {
			b.log.Warn("a call in the book cannot be read", "file", p.file(), "err", err)
			return false
		}
		left.calls = append(left.calls, e)
		return true
	})
	slices.SortStableFunc(left.calls, func(a, b entry) int { return a.Record.Began.Compare(b.Record.Began) })
	return left
}

// noteDown writes the call into the book as it is now. Only its loop calls it.
func (c *conduct) noteDown() {
	if c.x.book == nil {
		return
	}
	e := entry{Record: c.view(), Caller: c.caller.User, Rings: c.rings}
	if c.route.kind == toQueue {
		e.Queue = c.route.queue
	}
	switch {
	case c.ends[1] != nil:
		e.A, e.B, e.Rings = c.ends[0].save(), c.ends[1].save(), nil
		if e.A == nil || e.B == nil { // over
			return
		}
	case c.heardByUs():
		if e.A = c.a.save(); e.A == nil {
			return
		}
	case c.a.call.Link().Network() == "udp" && c.a.call.Inbound():
		e.Invite, e.From = c.a.call.Request().String(), c.a.call.Source()
	}
	if err := c.x.book.write(&c.page, e); err != nil {
		c.x.log.Warn("a call would not outlive this process", "call", e.Record.ID, "err", err)
	}
}

// save is nil for a leg that is over. Keys do not reach the disk: what an encrypted side said is left out with them.
func (l *leg) save() *side {
	saved, ok := l.call.Save()
	if !ok {
		return nil
	}
	saved.SDP = keyless(saved.SDP)
	return &side{Saved: saved, Terminal: l.user, As: l.party, Trunk: l.trunk, Said: keyless(l.sdp)}
}

func keyless(sdp string) string {
	if strings.Contains(sdp, "\na=crypto:") {
		return ""
	}
	return sdp
}
