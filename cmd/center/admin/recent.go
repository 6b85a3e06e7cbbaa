package admin

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// recentMost lines are kept.
const recentMost = 500

// lineMost is how long a line may be, in bytes.
const lineMost = 2000

// Recent keeps the latest warnings and errors of the log for the page that shows them. Phone numbers are masked and secrets unprintable
// before they get here: what stands in the log may be read by an administrator.
type Recent struct {
	mu    sync.Mutex
	lines []Line // a ring
	next  int
}

// Line is a warning or an error.
type Line struct {
	At    time.Time `json:"at"`
	Level string    `json:"level"` // WARN, ERROR
	Text  string    `json:"text"`  // message and attributes
	Times int       `json:"times"` // so often in a row; At is the last time
}

// Lines are those kept, the newest first.
func (r *Recent) Lines() []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append(slices.Clone(r.lines[r.next:]), r.lines[:r.next]...)
	slices.Reverse(all)
	return all
}

func (r *Recent) add(l Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(l.Text) > lineMost {
		l.Text = strings.ToValidUTF8(l.Text[:lineMost], "") + "…"
	}
	if len(r.lines) > 0 { // what comes again and again must not push out the rest
		last := &r.lines[(r.next+len(r.lines)-1)%len(r.lines)]
		if last.Text == l.Text && last.Level == l.Level {
			last.At, last.Times = l.At, last.Times+1
			return
		}
	}
	if len(r.lines) < recentMost {
		r.lines = append(r.lines, l)
		return
	}
	r.lines[r.next] = l
	r.next = (r.next + 1) % recentMost
}

// Handler passes everything on to another handler and keeps what Recent is for.
func (r *Recent) Handler(to slog.Handler) slog.Handler { return keeper{Handler: to, recent: r} }

type keeper struct {
	slog.Handler
	recent *Recent
	prefix string // of attributes: groups with dots
	text   string // attributes of With
}

func (k keeper) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn || k.Handler.Enabled(ctx, l)
}

func (k keeper) Handle(ctx context.Context, rec slog.Record) error {
	if rec.Level >= slog.LevelWarn {
		var b strings.Builder
		b.WriteString(rec.Message + k.text)
		rec.Attrs(func(a slog.Attr) bool {
			b.WriteString(attr(k.prefix, a))
			return true
		})
		k.recent.add(Line{At: rec.Time, Level: rec.Level.String(), Text: b.String(), Times: 1})
	}
	if !k.Handler.Enabled(ctx, rec.Level) {
		return nil
	}
	return k.Handler.Handle(ctx, rec)
}

func (k keeper) WithAttrs(attrs []slog.Attr) slog.Handler {
	k.Handler = k.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		k.text += attr(k.prefix, a)
	}
	return k
}

func (k keeper) WithGroup(name string) slog.Handler {
	k.Handler = k.Handler.WithGroup(name)
	if name != "" {
		k.prefix += name + "."
	}
	return k
}

// attr is an attribute as a person reads it. A value says itself how it is written to logs (slog.LogValuer).
func attr(prefix string, a slog.Attr) string {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		return " " + prefix + a.Key + "=" + v.String()
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	all := ""
	for _, one := range v.Group() {
		all += attr(prefix, one)
	}
	return all
}
