package tray

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// winmm are the calls of the waveOut family that we need (mmeapi.h).
type winmm struct{ count, caps, open, prepare, write, position, reset, unprepare, close *windows.LazyProc }

func loadWinmm() winmm {
	dll := windows.NewLazySystemDLL("winmm.dll")
	return winmm{count: dll.NewProc("waveOutGetNumDevs"), caps: dll.NewProc("waveOutGetDevCapsW"), open: dll.NewProc("waveOutOpen"),
		prepare: dll.NewProc("waveOutPrepareHeader"), write: dll.NewProc("waveOutWrite"), position: dll.NewProc("waveOutGetPosition"),
		reset: dll.NewProc("waveOutReset"), unprepare: dll.NewProc("waveOutUnprepareHeader"), close: dll.NewProc("waveOutClose")}
}

// The structures of mmeapi.h and mmsyscom.h.
type (
	waveFormat struct {
		tag, channels uint16
		rate, bytes   uint32 // samples and bytes a second
		align, bits   uint16
		extra         uint16
	}
	waveHeader struct {
		data         *byte
		length, read uint32
		user         uintptr
		flags, loops uint32
		next         uintptr
		reserved     uintptr
	}
	waveCaps struct {
		maker, product uint16
		driver         uint32
		name           [32]uint16 // cut to 31 characters
		formats        uint32
		channels, _    uint16
		support        uint32
	}
	waveTime struct {
		kind, value uint32
		_           uint32 // the union's longest member has eight bytes
	}
)

const (
	waveMapper = 0xffffffff // the system's own choice
	timeBytes  = 4          // TIME_BYTES
	loopBegin  = 4          // WHDR_BEGINLOOP
	loopEnd    = 8          // WHDR_ENDLOOP
	// ringPoll is how often a ring looks whether its device still takes samples, and for better ones.
	ringPoll  = 500 * time.Millisecond
	stallMost = 4 // looks in a row at which a device may have taken nothing
	// listPoll is how often the list of devices is looked at.
	listPoll = 3 * time.Second
)

// names are the devices, by number.
func (w winmm) names() []string {
	n, _, _ := w.count.Call()
	names := make([]string, 0, n)
	for i := range n {
		var c waveCaps
		if failed, _, _ := w.caps.Call(i, uintptr(unsafe.Pointer(&c)), unsafe.Sizeof(c)); failed == 0 {
			names = append(names, windows.UTF16ToString(c.name[:]))
		} else {
			names = append(names, "")
		}
	}
	return names
}

// choose is the number of the first preferred device. A browser says the whole of a name that waveOut cuts.
func (w winmm) choose(on []string) (device uintptr, err error) {
	names := w.names()
	if len(names) == 0 {
		return 0, errNoDevice
	}
	for _, want := range on {
		if i := slices.IndexFunc(names, func(name string) bool { return name != "" && strings.HasPrefix(want, name) }); i >= 0 {
			return uintptr(i), nil
		}
	}
	return waveMapper, nil
}

// watchRings tells what can be rung on, until ctx ends.
func watchRings(ctx context.Context, tell func([]string)) {
	w, told := loadWinmm(), []string(nil)
	tick := time.NewTicker(listPoll)
	defer tick.Stop()
	for first := true; ; first = false {
		if names := w.names(); first || !slices.Equal(names, told) {
			tell(names)
			told = names
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// playTone repeats the tone by waveOut, which loops one buffer without us.
func playTone(ctx context.Context, t tone, on []string, heard func()) error {
	w, said := loadWinmm(), false
	for range movesMost {
		device, err := w.choose(on)
		if err == nil {
			err = w.play(ctx, t, device, on, func() {
				if !said {
					said = true
					heard()
				}
			})
		}
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return errMoved
}

// play rings on that device until ctx ends, until it takes no more samples or a better one is there.
func (w winmm) play(ctx context.Context, t tone, device uintptr, on []string, heard func()) error {
	const pcm = 1
	format := waveFormat{tag: pcm, channels: 1, rate: uint32(t.rate), bytes: uint32(2 * t.rate), align: 2, bits: 16}
	var handle uintptr
	if failed, _, _ := w.open.Call(uintptr(unsafe.Pointer(&handle)), device, uintptr(unsafe.Pointer(&format)), 0, 0, 0); failed != 0 {
		return fmt.Errorf("waveOutOpen: error %d", failed)
	}
	defer w.close.Call(handle)
	data := t.bytes()
	h := &waveHeader{data: &data[0], length: uint32(len(data)), loops: 0xffffffff}
	var pin runtime.Pinner // Windows reads both until the device is reset
	pin.Pin(&data[0])
	pin.Pin(h)
	defer pin.Unpin()
	if failed, _, _ := w.prepare.Call(handle, uintptr(unsafe.Pointer(h)), unsafe.Sizeof(*h)); failed != 0 {
		return fmt.Errorf("waveOutPrepareHeader: error %d", failed)
	}
	defer func() {
		_, _, _ = w.reset.Call(handle)
		_, _, _ = w.unprepare.Call(handle, uintptr(unsafe.Pointer(h)), unsafe.Sizeof(*h))
	}()
	h.flags |= loopBegin | loopEnd
	if failed, _, _ := w.write.Call(handle, uintptr(unsafe.Pointer(h)), unsafe.Sizeof(*h)); failed != 0 {
		return fmt.Errorf("waveOutWrite: error %d", failed)
	}
	tick := time.NewTicker(ringPoll)
	defer tick.Stop()
	for at, stalled := uint32(0), 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := waveTime{kind: timeBytes}
		failed, _, _ := w.position.Call(handle, uintptr(unsafe.Pointer(&now)), unsafe.Sizeof(now))
		better, err := w.choose(on)
		switch {
		case err != nil:
			return err
		case failed != 0, stalled == stallMost, better != device:
			return errMoved
		case now.value == at:
			stalled++
			continue
		}
		at, stalled = now.value, 0
		heard()
	}
}
