package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

const (
	fanPhones  = 10_000
	fanSeats   = 200 // of a floor
	fanChanges = 200 // a second, of all floors
	fanStretch = 30 * time.Second
	fewStretch = 15 * time.Second // of the base
	fanBase    = "200 phones on one floor, 4 changes/s"
)

// centerFan measures how a change of one phone gets to all that watch its floor: 10,000 phones on one node, in a process of their own,
// each with its websocket and watching the floor that it sits on. Somebody says a status; 200 see it.
type centerFan struct {
	ctx  context.Context
	dir  string
	seen *fanSeen // what the plain rows share: one run gives them all
}

func (b *centerFan) rows() []measure {
	return []measure{
		{"center.fanout_10k", func() (row, error) { return b.plain("center.fanout_10k") }},
		{"center.fanout_10k_p99", func() (row, error) { return b.plain("center.fanout_10k_p99") }},
		{"center.rss_10k", func() (row, error) { return b.plain("center.rss_10k") }},
		{"center.fanout_10k_tls", b.secure},
	}
}

// fanSeen is what a run has shown: of the few phones, and of the many.
type fanSeen struct {
	few, many   fanResult
	empty, full float64 // MB of the center before the phones came, and with all of them
	cpu         float64 // of one core, of the center while the many change and watch
}

// plain gives a row of the run without TLS.
func (b *centerFan) plain(name string) (row, error) {
	if b.seen == nil {
		seen, err := b.run("127.0.0.1:0")
		if err := errors.Join(err, seen.few.whole(), seen.many.whole()); err != nil {
			return row{}, err
		}
		b.seen = &seen
	}
	s := b.seen
	switch name {
	case "center.rss_10k":
		return newRow(name, "MB", 350, []float64{s.full}, "the center before they came", []float64{s.empty}), nil
	case "center.fanout_10k_p99":
		r := fanRow(name, 250, s.many.P99, s.few.P99)
		r.N = s.many.Seen
		return r, nil
	}
	return s.row(name, 120), nil
}

// secure is the same by TLS. Nothing is promised of it, so that it says how much was seen at all, and what that cost.
func (b *centerFan) secure() (row, error) {
	s, err := b.run("0.0.0.0:0")
	if err != nil {
		return row{}, err
	}
	r := s.row("center.fanout_10k_tls", 0)
	r.Base = fmt.Sprintf("%s; %d changes, %d refused, %.1f %% of the others seen, %.0f MB, %.2f cores and %.2f of the phones",
		fanBase, s.many.Asked, s.many.No, s.many.share(), s.full, s.cpu, s.many.CPU)
	return r, nil
}

func (s fanSeen) row(name string, limit float64) row {
	r := fanRow(name, limit, s.many.P50, s.few.P50)
	r.N, r.P99 = s.many.Seen, s.many.P99
	return r
}

func fanRow(name string, limit, many, few float64) row {
	return newRow(name, "ms", limit, []float64{many}, fanBase, []float64{few})
}

func (b *centerFan) run(listen string) (seen fanSeen, err error) {
	dir, err := os.MkdirTemp(b.dir, "fan")
	if err != nil {
		return seen, err
	}
	if err := stage.Build(b.ctx, ".", dir, "center"); err != nil {
		return seen, err
	}
	if err := seedFan(b.ctx, filepath.Join(dir, "data", "ledger"), fanPhones+fanSeats, fanSeats, 0); err != nil {
		return seen, fmt.Errorf("seed the ledger: %w", err)
	}
	center, err := stage.Start(b.ctx, filepath.Join(dir, "center"), nil, "-data", filepath.Join(dir, "data"), "-http", listen, "-sip", "127.0.0.1:0")
	if err != nil {
		return seen, err
	}
	defer center.Stop()
	url := center.String("http")
	if seen.empty, err = rss(center.PID()); err != nil {
		return seen, err
	}
	if seen.few, _, _, err = b.crowd(url, fanPhones, fanSeats, fanChanges*fanSeats/fanPhones, fewStretch, wire.StatusBreak, center.PID()); err != nil {
		return seen, err
	}
	seen.many, seen.full, seen.cpu, err = b.crowd(url, 0, fanPhones, fanChanges, fanStretch, wire.StatusWork, center.PID())
	return seen, err
}

// crowd lets so many phones come, from the first one's number on, and change and watch. Of the process pid it says how many MB it has
// with all of them there, and how much of a core it takes while they change.
func (b *centerFan) crowd(url string, first, phones, changes int, stretch time.Duration, status string, pid int) (r fanResult, mb, cores float64, err error) {
	mb, cores, err = watched(b.ctx, pid, &r, crowding, url, strconv.Itoa(first), strconv.Itoa(phones), strconv.Itoa(changes), stretch.String(), status)
	return r, mb, cores, err
}

// watched runs this program with those arguments until it says that all are there, has it go on, and reads what they saw into result. Of
// the process pid it says how many MB it has at that moment, and how much of a core it takes from then on.
func watched(ctx context.Context, pid int, result any, args ...string) (mb, cores float64, err error) {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		in.Close()
		if wait := cmd.Wait(); err == nil {
			err = wait
		}
	}()
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || line != crowdThere+"\n" {
		return 0, 0, fmt.Errorf("the crowd says %q: %w", line, err)
	}
	if mb, err = rss(pid); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	used, err := cpuOf(pid)
	if err != nil {
		return 0, 0, err
	}
	if _, err := io.WriteString(in, "go\n"); err != nil {
		return 0, 0, err
	}
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("the crowd ended: %w", err)
	}
	now, err := cpuOf(pid)
	if err != nil {
		return 0, 0, err
	}
	return mb, (now - used).Seconds() / time.Since(began).Seconds(), json.Unmarshal(line, result)
}

// rss is what a process has in memory, MB (proc(5)).
func rss(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			return kb / 1000, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}

func fanAccount(i int) string { return fmt.Sprintf("a%05d", i) }

func fanResume(i int) string { return fmt.Sprintf("resume token of the bench %05d", i) }

// fanFloor is the floor that one sits on, of floors with so many seats.
func fanFloor(i, seats int) string { return strconv.Itoa(i / seats) }

// seedFan writes a center whose people are all signed in: by password that would take six minutes, which is another row. The first out of
// them are not, and have viewWord as their password.
func seedFan(ctx context.Context, dir string, phones, seats, out int) error {
	l, err := ledger.Open(ledger.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer l.Close()
	now := time.Now().UTC()
	began := now.Add(time.Hour) // after the center's start: how it lets a crowd in that it knows is not measured here
	var writes []ledger.Write
	write := func(kind, id string, v any) {
		data, _ := json.Marshal(v) // plain structs
		writes = append(writes, ledger.Write{Subject: ledger.Subject(kind, id), By: "bench", At: now, Data: data})
	}
	write(roster.KindSite, "site", roster.DefaultSite())
	for i := 0; i < phones; i += seats {
		floor := fanFloor(i, seats)
		write(roster.KindFloor, floor, roster.Floor{ID: floor, Name: "Floor " + floor})
	}
	hash := func(text string) string { sum := sha256.Sum256([]byte(text)); return hex.EncodeToString(sum[:]) }
	for i := range phones {
		account, extension := fanAccount(i), strconv.Itoa(100_000+i)
		person := roster.Account{Account: account, Name: "Agent " + account, Role: "agent", Agent: true}
		terminal := roster.Terminal{Extension: extension, Type: "softphone", Account: account}
		seat := roster.Seat{ID: account, Name: account, Floor: fanFloor(i, seats), X: i % 20, Y: i / 20 % (seats / 20)}
		if i < out {
			person.Hash = hashOf(viewWord)
		} else {
			terminal.Holder, terminal.HeldSince, terminal.Epoch = account, now, 1
			seat.Holder, seat.Since = account, now
			write(roster.KindAgent, account, roster.Agent{
				Account: account, Status: wire.StatusAway, Since: now, Picked: wire.StatusAway, Seat: account, Terminal: extension, Epoch: 1, Conn: "up",
				Session: &roster.Session{ID: account, Token: hash("token of " + account), Resume: hash(fanResume(i)), Rotated: now, Began: began,
					Expires: now.Add(12 * time.Hour), Machine: "bench", Node: "center"},
			})
		}
		write(roster.KindAccount, account, person)
		write(roster.KindTerminal, extension, terminal)
		write(roster.KindSeat, account, seat)
	}
	for n := 0; len(writes) > 0; n++ {
		some := writes[:min(len(writes), ledger.MaxWrites)]
		if _, err := l.Commit(ctx, fmt.Sprint("bench ", n), some); err != nil {
			return err
		}
		writes = writes[len(some):]
	}
	return nil
}
