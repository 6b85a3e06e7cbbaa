package route

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSleepIsSeenInTheClocks(t *testing.T) {
	for name, row := range map[string]struct {
		wall, awake time.Duration
		want        bool
	}{
		"a beat":             {time.Second, time.Second, false},
		"a busy machine":     {20 * time.Second, 20 * time.Second, false},
		"a nudge by ntp":     {3 * time.Second, time.Second, false},
		"asleep":             {time.Hour, time.Second, true},
		"the clock set back": {-time.Hour, time.Second, true},
	} {
		if got := slept(row.wall, row.awake); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
