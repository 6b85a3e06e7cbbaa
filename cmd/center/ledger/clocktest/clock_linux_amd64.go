// Package clocktest steps the wall clock of a running process, for tests. Neither a time namespace can (it has the monotonic clock only)
// nor a preloaded library (Go programs do not call libc).
package clocktest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	sysClockGettime = 228 // amd64
	settle          = 20 * time.Millisecond
)

// Step has a process see the wall clock that far from the true one, in whole seconds; its monotonic clock stays. It replaces the
// process's own copy of the vDSO function clock_gettime (vdso(7)) by one that asks the kernel and adds the difference; only that page
// of that process is changed. The process is stopped for a moment meanwhile. It needs the right to write its memory.
func Step(pid int, by time.Duration) error {
	at, mem, err := clockGettime(pid)
	if err != nil {
		return fmt.Errorf("step the clock of process %d: %w", pid, err)
	}
	defer mem.Close()
	code := []byte{
		0xb8, sysClockGettime, 0, 0, 0, // mov eax, clock_gettime
		0x0f, 0x05, // syscall: edi, rsi are the caller's
		0x85, 0xc0, // test eax, eax
		0x75, 17, // jne end
		0x85, 0xff, // test edi, edi: CLOCK_REALTIME is 0
		0x75, 13, // jne end
		0x48, 0xba, // movabs rdx, seconds
	}
	code = binary.LittleEndian.AppendUint64(code, uint64(int64(by/time.Second)))
	code = append(code, 0x48, 0x01, 0x16) // add [rsi], rdx
	code = append(code, 0xc3)             // end: ret
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("step the clock of process %d: %w", pid, err)
	}
	time.Sleep(settle) // no thread is in the function any more
	_, err = mem.WriteAt(code, at)
	if cont := syscall.Kill(pid, syscall.SIGCONT); err == nil {
		err = cont
	}
	if err != nil {
		return fmt.Errorf("step the clock of process %d: %w", pid, err)
	}
	return nil
}

// clockGettime is where the process has the function, and its memory.
func clockGettime(pid int) (at int64, mem *os.File, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, nil, err
	}
	var low, high int64
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(line, "[vdso]\n") {
			fmt.Sscanf(line, "%x-%x", &low, &high) // 0 if it is another form
		}
	}
	if high <= low {
		return 0, nil, fmt.Errorf("it has no vDSO")
	}
	if mem, err = os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0); err != nil {
		return 0, nil, err
	}
	image := make([]byte, high-low)
	if _, err = mem.ReadAt(image, low); err == nil {
		at, err = find(image)
	}
	if err != nil {
		mem.Close()
		return 0, nil, err
	}
	return low + at, mem, nil
}

func find(image []byte) (int64, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, err
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return 0, err
	}
	for _, s := range symbols {
		if s.Name == "__vdso_clock_gettime" {
			return int64(s.Value), nil
		}
	}
	return 0, fmt.Errorf("its vDSO has no clock_gettime")
}
