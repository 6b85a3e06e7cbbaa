package main

import (
	"context"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

//go:embed sipp
var scenarios embed.FS

const (
	sipRounds = 5           // of our side and the base, turn by turn
	benchHost = "127.0.6.1" // of the answering side; sipp calls from the next address
	sipCalls  = 10000
	sipRate   = 1000 // calls a second where CPU is counted
	fullCalls = 20000
)

// sipGroup measures our SIP core as the answering side against sipp's own, turn by turn, both on one core while sipp calls from
// the other; and our phones with a real registrar, a network that changes, and real phones.
func sipGroup(ctx context.Context, l lab) error {
	if err := os.CopyFS(l.dir, scenarios); err != nil && !errors.Is(err, fs.ErrExist) { // several rows were asked for
		return err
	}
	b := &sipBench{ctx: ctx, dir: l.dir}
	peer := func(name string, phone realPhone, attended bool) measure {
		return measure{name, func() (row, error) { return b.transferPeer(name, phone, attended) }}
	}
	return l.measure(
		measure{"sip.cpu_per_call", b.withSipp(b.cpuPerCall)},
		measure{"sip.invite_to_180", b.withSipp(b.inviteTo180)},
		measure{"sip.calls_without_failure", b.withSipp(b.callsWithoutFailure)},
		measure{"sip.reregister_tcp", b.reregisterTCP},
		measure{"sip.reregister_udp", b.reregisterUDP},
		measure{"sip.address_gap", b.addressGap},
		measure{"sip.transfer_blind", b.transferBlind},
		measure{"sip.transfer_attended", b.transferAttended},
		peer("sip.transfer_blind_baresip", startBaresip, false),
		peer("sip.transfer_attended_baresip", startBaresip, true),
		peer("sip.transfer_blind_linphone", startLinphone, false),
		peer("sip.transfer_attended_linphone", startLinphone, true),
	)
}

type sipBench struct {
	ctx  context.Context
	dir  string
	port int // of the next answering side
}

// withSipp is a row that needs sipp.
func (b *sipBench) withSipp(measured func() (row, error)) func() (row, error) {
	return func() (row, error) {
		if _, err := tool("sipp"); err != nil {
			return row{}, skipped("sipp is not installed (package sip-tester)")
		}
		return measured()
	}
}

// uas is an answering side in a process of its own, on one core.
type uas struct {
	cmd  *exec.Cmd
	addr netip.AddrPort
}

// answer starts ours or sipp's on a port of its own and waits until it answers.
func (b *sipBench) answer(ours bool) (*uas, error) {
	b.port++
	addr := netip.AddrPortFrom(netip.MustParseAddr(benchHost), uint16(15060+2*b.port))
	args := []string{"sipp", "-sf", filepath.Join(b.dir, "sipp", "uas.xml"), "-i", benchHost, "-p", strconv.Itoa(int(addr.Port())), "-mp", "26000",
		"-nostdin", "-buff_size", "4000000", "-l", "50000"}
	if ours {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		args = []string{self, answering, addr.String()}
	}
	cmd := exec.CommandContext(b.ctx, "taskset", append([]string{"-c", strconv.Itoa(runtime.NumCPU() - 1)}, args...)...)
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), "TERM=dumb", "GOMAXPROCS=1")
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	u := &uas{cmd, addr}
	caller, err := newRawCaller(addr)
	if err == nil {
		defer caller.close()
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if _, err = caller.call(200 * time.Millisecond); err == nil {
				return u, nil
			}
		}
	}
	u.stop()
	return nil, fmt.Errorf("nobody answers at %s: %w", addr, err)
}

func (u *uas) stop() {
	_ = u.cmd.Process.Kill()
	_ = u.cmd.Wait()
}

// cpu is what the process has used so far (proc(5): utime and stime in ticks of 10 ms).
func (u *uas) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", u.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	kernel, err := strconv.Atoi(fields[12])
	return time.Duration(user+kernel) * 10 * time.Millisecond, err
}

// load lets sipp make calls and says how many failed.
func (b *sipBench) load(to netip.AddrPort, rate, calls int) (failed int, err error) {
	stat := filepath.Join(b.dir, "stat.csv")
	_ = os.Remove(stat)
	cmd := exec.CommandContext(b.ctx, "taskset", "-c", "0", "sipp", "-sf", filepath.Join(b.dir, "sipp", "uac.xml"), "-i", "127.0.6.2", "-p", "5060", "-mp", "27000",
		"-r", strconv.Itoa(rate), "-m", strconv.Itoa(calls), "-l", "50000", "-timeout", "100", "-buff_size", "4000000", "-nostdin",
		"-trace_stat", "-stf", stat, "-fd", "1", to.String())
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), "TERM=dumb")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: at least one call failed
		return 0, fmt.Errorf("sipp: %w\n%s", err, tail(out, 800))
	}
	f, err := os.Open(stat)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return failures(f, calls)
}

func tail(out []byte, n int) string { return string(out[max(0, len(out)-n):]) }

// failures reads the last line of sipp's statistics.
func failures(r io.Reader, calls int) (int, error) {
	table := csv.NewReader(r)
	table.Comma, table.FieldsPerRecord = ';', -1
	lines, err := table.ReadAll()
	if err != nil || len(lines) < 2 {
		return 0, fmt.Errorf("sipp's statistics: %d lines: %w", len(lines), err)
	}
	for i, name := range lines[0] {
		if name == "SuccessfulCall(C)" {
			good, err := strconv.Atoi(lines[len(lines)-1][i])
			return calls - good, err
		}
	}
	return 0, errors.New("sipp's statistics have no SuccessfulCall(C)")
}

// cpuPerCall: CPU time of the answering process per call at a steady rate.
func (b *sipBench) cpuPerCall() (row, error) {
	var took [2][]float64
	for range sipRounds {
		for side, ours := range []bool{true, false} {
			us, err := b.cost(ours)
			if err != nil {
				return row{}, err
			}
			took[side] = append(took[side], us)
		}
	}
	r := newRow("sip.cpu_per_call", "µs", 0, took[0], "sipp's own answering side", took[1])
	r.RatioLimit = 1.6
	return r, nil
}

func (b *sipBench) cost(ours bool) (us float64, err error) {
	u, err := b.answer(ours)
	if err != nil {
		return 0, err
	}
	defer u.stop()
	before, err := u.cpu()
	if err != nil {
		return 0, err
	}
	failed, err := b.load(u.addr, sipRate, sipCalls)
	if err != nil {
		return 0, err
	}
	if failed > 0 {
		return 0, fmt.Errorf("%d of %d calls failed at %d calls/s (ours: %t)", failed, sipCalls, sipRate, ours)
	}
	after, err := u.cpu()
	return float64((after - before).Microseconds()) / sipCalls, err
}

// inviteTo180: from the INVITE's last byte to the 180's, one call at a time, 50 calls a second.
func (b *sipBench) inviteTo180() (row, error) {
	var took [2][]float64
	for side, ours := range []bool{true, false} {
		u, err := b.answer(ours)
		if err != nil {
			return row{}, err
		}
		defer u.stop()
		caller, err := newRawCaller(u.addr)
		if err != nil {
			return row{}, err
		}
		defer caller.close()
		for range 300 {
			d, err := caller.call(2 * time.Second)
			if err != nil {
				return row{}, err
			}
			took[side] = append(took[side], ms(d))
			time.Sleep(20 * time.Millisecond)
		}
	}
	return newRow("sip.invite_to_180", "ms", 0.35, took[0], "sipp's own answering side", took[1]), nil
}

// callsWithoutFailure: the highest rate of a ladder at which no call failed.
func (b *sipBench) callsWithoutFailure() (row, error) {
	best := [2]float64{}
	for side, ours := range []bool{true, false} {
		for _, rate := range []int{2000, 3000, 4000, 5000, 6000} {
			failed, err := b.full(ours, rate)
			if err != nil {
				return row{}, err
			}
			if failed > 0 {
				break
			}
			best[side] = float64(rate)
		}
	}
	r := newRow("sip.calls_without_failure", "/s", 0, best[:1], "sipp's own answering side", best[1:])
	r.Least = 4000
	return r, nil
}

func (b *sipBench) full(ours bool, rate int) (failed int, err error) {
	u, err := b.answer(ours)
	if err != nil {
		return 0, err
	}
	defer u.stop()
	return b.load(u.addr, rate, fullCalls)
}

// answering is the argument with which this program is the answering side itself.
const answering = "answering-side"

// answerCalls rings and answers every call at the address that its argument names until the context ends.
func answerCalls(ctx context.Context, args []string) error {
	debug.SetGCPercent(serverGC)
	s := stack.New(stack.Config{Server: "Zaseki"})
	ua := dialog.New(dialog.Config{Stack: s, Calls: 100000, OnCall: func(c *dialog.Call) func(dialog.Event) {
		_ = c.Ring(180, "")
		_ = c.Answer(ctx, benchSDP)
		return func(dialog.Event) {}
	}})
	if _, err := s.ListenUDP(args[0]); err != nil {
		return err
	}
	return ua.Run(ctx)
}

// serverGC is as in cmd/center: memory is cheap for a server, and its heap is small.
const serverGC = 400

const benchSDP = "v=0\r\no=- 1 1 IN IP4 " + benchHost + "\r\ns=-\r\nc=IN IP4 " + benchHost + "\r\nt=0 0\r\nm=audio 26000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
