package code

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret of RFC 6238, appendix B: "12345678901234567890".
const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func TestTheCodesAreThoseOfTheRFC(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := At(secret, StepAt(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	if At("not base32!", 1) != "" {
		t.Error("a code of no secret")
	}
}

func TestWhatATypedCodeIs(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 10, 0, time.UTC)
	cur := StepAt(now)
	of := func(off int) string { return At(secret, uint64(int64(cur)+int64(off))) }
	rows := []struct {
		name  string
		typed string
		last  uint64
		burnt []uint64
		want  Verdict
		off   int
	}{
		{"of now", of(0), 0, nil, Right, 0},
		{"the one before", of(-1), 0, nil, Right, -1},
		{"the one after", of(1), 0, nil, Right, 1},
		{"typed with a space", of(0)[:3] + " " + of(0)[3:], 0, nil, Right, 0},
		{"typed in wide digits", wide(of(0)), 0, nil, Right, 0},
		{"again", of(0), cur, nil, Used, 0},
		{"older than the last one", of(-1), cur, nil, Used, -1},
		{"newer than the last one", of(1), cur, nil, Right, 1},
		{"90 s behind", of(-3), 0, nil, Skewed, -3},
		{"10 min ahead", of(20), 0, nil, Skewed, 20},
		{"10 min ahead, told before", of(20), 0, []uint64{cur + 20}, Used, 20},
		{"told before, and its time has come", of(0), 0, []uint64{cur}, Used, 0},
		{"more than 10 min ahead", of(22), 0, nil, Wrong, 0},
		{"a day behind", of(-2880), 0, nil, Wrong, 0},
		{"too short", of(0)[:5], 0, nil, Wrong, 0},
		{"nothing", "", 0, nil, Wrong, 0},
		{"letters", "abcdef", 0, nil, Wrong, 0},
	}
	for _, r := range rows {
		v, step, off := Check(secret, r.typed, now, r.last, r.burnt)
		if v != r.want || off != r.off || v != Wrong && step != uint64(int64(cur)+int64(off)) {
			t.Errorf("%s: %d off %d", r.name, v, off)
		}
	}
}

func wide(s string) string {
	return strings.Map(func(c rune) rune { return c - '0' + '０' }, s)
}

func TestPaperCodesAreTenAndAllDifferent(t *testing.T) {
	all := Paper()
	for _, c := range all {
		if len(c) != 11 || len(Clean(strings.ToUpper(c))) != 10 {
			t.Errorf("%q", c)
		}
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 10 {
		t.Error("not ten")
	}
	if a, b := NewSecret(), NewSecret(); a == b || len(a) != 32 {
		t.Errorf("%q %q", a, b)
	}
	if s := Six(); len(s) != 6 || Clean(s) != s {
		t.Errorf("%q", s)
	}
}

func TestAnAuthenticatorReadsTheName(t *testing.T) {
	if got := URL("Test Center", "山田", "ABC"); got != "otpauth://totp/Test%20Center:%E5%B1%B1%E7%94%B0?issuer=Test%20Center&secret=ABC" {
		t.Error(got)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("123456")
	f.Add("１２３ ４５６")
	f.Fuzz(func(t *testing.T, typed string) {
		now := time.Unix(1234567890, 0)
		if v, step, _ := Check(secret, typed, now, 0, nil); v == Right && At(secret, step) != Clean(typed) {
			t.Fatalf("%q is right", typed)
		}
	})
}
