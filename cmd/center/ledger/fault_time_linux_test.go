package ledger

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// others are all members but one.
func others(i int) []int { return []int{(i + 1) % 3, (i + 2) % 3} }

// back waits until all but one write what they wanted to write after at, and tell what others wrote, and says after how long.
func (l *lab) back(gone int, at time.Time) (writes, tells time.Duration) {
	l.t.Helper()
	for _, i := range others(gone) {
		writes = max(writes, l.writesAgain(i, at.Add(50*time.Millisecond), patience)+50*time.Millisecond)
		k := l.kids[i]
		until(l.t, k.name+" tells", patience, func() bool {
			lines, first := k.since(at.Add(time.Second), "seen")
			tells = max(tells, first.Sub(at))
			return len(lines) > 0
		})
	}
	return writes, tells.Round(time.Millisecond)
}

// lose has the member that leads fail, so many times, and gives how long the two others could not write, and how long that one after its
// return.
func (l *lab) lose(how string, times int, fail, mend func(i int)) (others, itself []time.Duration) {
	l.t.Helper()
	for range times {
		lead := l.leader(patience)
		at := time.Now()
		fail(lead)
		writes, tells := l.back(lead, at)
		l.t.Logf("%s %s: the others write after %v, and tell what is written after %v", l.kids[lead].name, how, writes, tells)
		others = append(others, writes)
		mended := time.Now()
		mend(lead)
		itself = append(itself, l.writesAgain(lead, mended, patience))
		l.kids[lead].more(l.t, "ack", 5, patience)
		for _, k := range l.kids {
			k.more(l.t, "seen", 1, patience)
		}
	}
	slices.Sort(others)
	slices.Sort(itself)
	l.t.Logf("%s: the others write after %v (p50), %v at most; that one itself after %v, %v at most, when it is back", how,
		others[times/2], others[times-1], itself[times/2], itself[times-1])
	return others, itself
}

// promised is how long one of three may stop the others, and how long it may take to be one of them again. (C5, C6)
const promised = 5 * time.Second

// TestOthersGoOnInTime: the member that leads is killed, frozen, cut off; the two others take changes again in five seconds, and so does
// that one when it is back, unless it has to start first. It needs a machine that does little else. (C5, C6)
func TestOthersGoOnInTime(t *testing.T) {
	if inLab(t) {
		return
	}
	l := newLab(t)
	signal := func(s syscall.Signal) func(int) {
		return func(i int) { l.kids[i].cmd.Process.Signal(s) }
	}
	killed, _ := l.lose("was killed", 5, signal(syscall.SIGKILL), l.restart)
	frozen, thawed := l.lose("froze", 5, signal(syscall.SIGSTOP), signal(syscall.SIGCONT))
	cut, joined := l.lose("was cut off", 5, func(i int) {
		for _, o := range others(i) {
			l.cut(i, o)
			l.cut(o, i)
		}
	}, func(int) { l.heal() })
	for _, all := range [][]time.Duration{killed, frozen, thawed, cut, joined} {
		if worst := all[len(all)-1]; worst > promised {
			t.Error("somebody waited for ", worst)
		}
	}
	for _, k := range l.kids {
		k.more(t, "ack", 5, patience)
	}
	acknowledgedAreThere(t, append(l.gone, l.kids...), l.read())
}

// restart brings back a member that was killed, on the machine it had.
func (l *lab) restart(i int) {
	l.t.Helper()
	l.kids[i].kill()
	l.gone = append(l.gone, l.kids[i])
	l.boot(i)
	l.kids[i].order(l.t, "go")
}
