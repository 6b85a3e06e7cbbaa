package cmd_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rule is a row of the manual: what it is called, in which generations it holds, and who looks whether it does. Where it does not hold,
// the check asks for what stands in its place.
type rule struct {
	row   string
	in    string // all, ≥3.5, ≤3.4; of the update's notice: the phone's generation, which the center may order
	check func(m *manual, holds bool)
}

// rules are the rows, in the order in which a day walks them.
func rules() []rule {
	return []rule{
		{"A1", "all", (*manual).accountsAreMadeByAdministrators},
		{"A2", "≥3.7", (*manual).pastedLinesAreRemoved},
		{"A3", "≤3.6", (*manual).pastedLinesStay},
		{"A4", "≤3.4", (*manual).oneForm},
		{"A5", "≥3.5", (*manual).twoSteps},
		{"A6", "all", (*manual).terminals},
		{"A7", "all", (*manual).statusAtSignIn},
		{"A8", "all", (*manual).takenSeat},
		{"A9", "≤3.4", (*manual).seatWithoutSeatView},
		{"A10", "≥3.5", (*manual).noSeatWithoutSeatView},
		{"A11", "≥3.6", (*manual).leftSeat},
		{"A12", "all", (*manual).signedInIsSeen},
		{"A13", "≥3.5", (*manual).secondFactor},
		{"A14", "all", (*manual).autoSignIn},
		{"A15", "all", (*manual).customerSystem},
		{"A16", "all", (*manual).voiceEncryption},
		{"A17", "all", (*manual).otherTerminal},
		{"B1", "3.2", (*manual).updateDialog},
		{"B2", "3.3", (*manual).updateMark},
		{"B3", "≥3.4", (*manual).updateLoads},
		{"B4", "all", (*manual).updateFails},
		{"C1", "", (*manual).trayEndsWithExit},
		{"C2", "", (*manual).pageEndsWithExit},
		{"C3", "", (*manual).closedPage},
		{"C4", "", (*manual).signOutAndExit},
		{"D1", "all", (*manual).statusIsForAgents},
		{"D2", "all", (*manual).standardStatuses},
		{"D3", "all", (*manual).ownStatuses},
		{"D4", "all", (*manual).systemStatuses},
		{"D5", "all", (*manual).insideCallsRing},
		{"D6", "all", (*manual).listsOfStatuses},
		{"D7", "≥3.6", (*manual).shownStatusOpensTheList},
		{"D8", "≤3.6", (*manual).changeInACall},
		{"D9", "≥3.7", (*manual).noChangeInACall},
		{"D10", "all", (*manual).afterTheCall},
		{"D11", "all", (*manual).presenceIsALease},
		{"D12", "all", (*manual).everyChangeIsRecorded},
	}
}

var generations = []string{"3.4", "3.5", "3.6", "3.7", "3.9"}

// holds says whether a row is of that generation. The update's notice is the phone's: every center can order each.
func (r rule) holds(generation string) bool {
	since, from := strings.CutPrefix(r.in, "≥")
	until, to := strings.CutPrefix(r.in, "≤")
	switch {
	case r.row[0] == 'B' || r.in == "all" || r.in == "":
		return true
	case from:
		return generation >= since
	case to:
		return generation <= until
	}
	return generation == r.in
}

// TestTheManualInEveryGeneration walks every row through the real pages, in every generation that a center can be of: each with its
// center, its phone in a tray, and its browser. They mostly wait, so they go side by side.
//
//ci:still
func TestTheManualInEveryGeneration(t *testing.T) {
	need(t, "chromium", "dbus-daemon", "gnome-keyring-daemon", "dbus-send")
	build(t, t.TempDir(), "center")
	keyed(t)
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			m := newManual(t, generation)
			for _, r := range rules() {
				if !t.Run(r.row, func(t *testing.T) { m.with(t, func() { r.check(m, r.holds(generation)) }) }) {
					t.Logf("the page at the end of %s:\n%s", r.row, m.page.Said())
					return // what follows would begin anywhere
				}
			}
		})
	}
}

// TestTheTableHasEveryRowOfTheManual, where the manual's rows lie beside the source.
func TestTheTableHasEveryRowOfTheManual(t *testing.T) {
	const file = "../../shared/PRODUCT.md"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("no list of rows here: %v", err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if row := strings.TrimSpace(cells[0]); regexp.MustCompile(`^[ABCD]\d+$`).MatchString(row) {
			want[row] = ""
			if len(cells) > 2 {
				want[row] = strings.TrimSpace(cells[2])
			}
		}
	}
	have := map[string]string{}
	for _, r := range rules() {
		have[r.row] = r.in
	}
	for _, row := range slices.Sorted(maps.Keys(want)) {
		if in, ok := have[row]; !ok || in != want[row] {
			t.Errorf("%s holds in %q there, in %q here (%t)", row, want[row], in, ok)
		}
		delete(have, row)
	}
	if len(want) < 30 || len(have) > 0 {
		t.Errorf("%d rows there; only here: %v", len(want), have)
	}
}
