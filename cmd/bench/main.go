// Bench measures what we promise, each figure side by side with a base in the same run: ratios last, single times do not.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// group measures its rows and gives each to tell.
type group func(ctx context.Context, lab lab) error

// lab is what a group works with.
type lab struct {
	dir  string                 // for whatever it needs
	only string                 // a row, or how the rows' names begin; "" is all
	show func(row) error        // to people, as soon as it is there
	skip func(name, why string) // what cannot be measured here
}

// measure is one row to come.
type measure struct {
	name string
	row  func() (row, error)
}

// measure gets those rows that are wanted, one after the other.
func (l lab) measure(rows ...measure) error {
	alone := slices.ContainsFunc(rows, func(m measure) bool { return m.name == l.only })
	for _, m := range rows {
		if !strings.HasPrefix(m.name, l.only) || alone && m.name != l.only {
			continue
		}
		r, err := m.row()
		var why skipped
		if errors.As(err, &why) {
			l.skip(m.name, string(why))
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if err := l.show(r); err != nil {
			return err
		}
	}
	return nil
}

// groups by name.
func groups() map[string]group {
	return map[string]group{"phone": phoneGroup, "sip": sipGroup, "media": mediaGroup, "center": centerGroup, "pages": pagesGroup}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		if side, ok := sides()[args[0]]; ok {
			return side(ctx, args[1:])
		}
	}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	asJSON := f.Bool("json", false, "one JSON object a line")
	names := sortedNames()
	f.Usage = func() {
		fmt.Fprintf(stderr, "bench [-json] [GROUP[.ROW]…]\n\nMeasures with the built binaries; groups: %s (all without a name); of a group, the row of that name or all rows whose names begin so. Ends with 1 when a promise is not kept. Run it at the module's top.\n", strings.Join(names, ", "))
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if f.NArg() > 0 {
		names = f.Args()
	}
	dir, err := os.MkdirTemp("", "zaseki-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var missed []string
	show := func(r row) error {
		if _, kept := r.verdict(); !kept {
			missed = append(missed, r.Name)
		}
		return show(stdout, r, *asJSON)
	}
	skip := func(name, why string) { fmt.Fprintf(stderr, "%s: not measured: %s\n", name, why) }
	for _, only := range names {
		name, _, _ := strings.Cut(only, ".")
		g, ok := groups()[name]
		if !ok {
			return fmt.Errorf("no group %q: there is %s", name, strings.Join(sortedNames(), ", "))
		}
		if err := g(ctx, lab{dir, only, show, skip}); err != nil {
			return err
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("promised, and not kept: %s", strings.Join(missed, ", "))
	}
	return nil
}

// sides are what this program is besides, in processes of its own, by its first argument.
func sides() map[string]func(ctx context.Context, args []string) error {
	return map[string]func(context.Context, []string) error{answering: answerCalls, moving: moveAbout, echoing: echoCalls,
		relaying: relayCalls, carrying: carryCalls, crowding: joinCrowd, viewing: joinView}
}

func sortedNames() (names []string) {
	for n := range groups() {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// row is one figure: the median of n, and the base it was compared with in the same run.
type row struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Base  string  `json:"base,omitempty"`
	Ratio float64 `json:"ratio,omitempty"`
	N     int     `json:"n"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99,omitempty"`

	// What the README promises; 0 = nothing.
	Limit      float64 `json:"-"` // most
	Least      float64 `json:"-"`
	RatioLimit float64 `json:"-"` // most, of Ratio
}

// newRow makes a row of measured values and those of the base.
func newRow(name, unit string, limit float64, values []float64, base string, bases []float64) row {
	r := row{Name: name, Unit: unit, Base: base, N: len(values), Limit: limit}
	r.P50, r.P99 = quantile(values, 0.5), quantile(values, 0.99)
	r.Value = r.P50
	if b := quantile(bases, 0.5); b > 0 {
		r.Ratio = r.P50 / b
	}
	return r
}

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func show(w io.Writer, r row, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	verdict, _ := r.verdict()
	_, err := fmt.Fprintf(w, "%-30s %8.5g %-4s p99 %8.5g  n %3d  ratio %6.2f to %-46s %s\n", r.Name, r.Value, r.Unit, r.P99, r.N, r.Ratio, r.Base, verdict)
	return err
}

// verdict says what was promised, and whether that holds.
func (r row) verdict() (text string, kept bool) {
	var promised []string
	kept = true
	if r.Limit > 0 {
		promised, kept = append(promised, fmt.Sprintf("%g", r.Limit)), kept && r.Value <= r.Limit
	}
	if r.Least > 0 {
		promised, kept = append(promised, fmt.Sprintf("%g or more", r.Least)), kept && r.Value >= r.Least
	}
	if r.RatioLimit > 0 {
		promised, kept = append(promised, fmt.Sprintf("a ratio of %g", r.RatioLimit)), kept && r.Ratio <= r.RatioLimit
	}
	if len(promised) == 0 {
		return "", true
	}
	text = "promised " + strings.Join(promised, " and ")
	if !kept {
		text += ": MISSED"
	}
	return text, kept
}
