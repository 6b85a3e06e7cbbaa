package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

const (
	asideLines = 1024        // that wait for who takes the log
	asideTime  = time.Second // for the last of them, at the end
)

// logAside writes a log beside whoever logs. Who takes it may take nothing for long, a pipe that nobody reads, a disk that hangs: then
// lines are left out, for a call does not wait for its log.
type logAside struct {
	to    io.Writer
	lines chan []byte
	done  chan struct{}
	left  atomic.Int64 // lines left out and not told yet
}

func newLogAside(to io.Writer) *logAside {
	return &logAside{to: to, lines: make(chan []byte, asideLines), done: make(chan struct{})}
}

// Run writes until end. An error of the far side is nobody's: it takes the next line or not.
func (a *logAside) Run() {
	defer close(a.done)
	for line := range a.lines {
		if n := a.left.Swap(0); n > 0 {
			_, _ = fmt.Fprintf(a.to, "%d lines of the log are left out: nobody took them\n", n)
		}
		_, _ = a.to.Write(line)
	}
}

// Write implements io.Writer; it never blocks and never fails.
func (a *logAside) Write(line []byte) (int, error) {
	select {
	case a.lines <- append([]byte(nil), line...):
	default:
		a.left.Add(1)
	}
	return len(line), nil
}

// end writes what waits, if somebody takes it within asideTime. Nothing may be written after it.
func (a *logAside) end() {
	close(a.lines)
	select {
	case <-a.done:
	case <-time.After(asideTime): // a write that hangs ends with the process
	}
}
