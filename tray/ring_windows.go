package tray

import (
	"context"
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// playTone repeats the tone by PlaySound of winmm, from memory.
func playTone(ctx context.Context, t tone, heard func()) error {
	const async, memory, loop, noDefault = 0x1, 0x4, 0x8, 0x2
	winmm := windows.NewLazySystemDLL("winmm.dll")
	play := winmm.NewProc("PlaySoundW")
	if n, _, _ := winmm.NewProc("waveOutGetNumDevs").Call(); n == 0 {
		return errNoDevice
	}
	file := t.wav()
	var pin runtime.Pinner
	pin.Pin(&file[0]) // Windows reads it until the sound is stopped
	defer pin.Unpin()
	if ok, _, _ := play.Call(uintptr(unsafe.Pointer(&file[0])), 0, async|memory|loop|noDefault); ok == 0 {
		return errors.New("Windows refused to play the ring")
	}
	heard()
	<-ctx.Done()
	_, _, _ = play.Call(0, 0, 0)
	return nil
}
