package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestALogThatNobodyTakesHoldsNobodyUp: whoever reads the log reads nothing for a while (reliability (E14)): every line is taken at once, the
// oldest are written when it goes on, and that some are left out is said; a disk that is full is no reason to stop.
func TestALogThatNobodyTakesHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, in := io.Pipe()
		log := newLogAside(in)
		go log.Run()
		for n := range asideLines + 500 {
			fmt.Fprintf(log, "line %d\n", n) // blocks for ever if it blocks
			if n == 0 {
				synctest.Wait() // the writer has it, and hangs
			}
		}
		got := make(chan string)
		go func() { all, _ := io.ReadAll(out); got <- string(all) }()
		synctest.Wait()
		fmt.Fprintln(log, "the last")
		log.end()
		_ = in.Close()
		all := <-got
		if !strings.HasPrefix(all, "line 0\n") || !strings.Contains(all, "lines of the log are left out") || !strings.HasSuffix(all, "the last\n") {
			t.Errorf("the log: %.100s … %s", all, all[max(0, len(all)-100):])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		log := newLogAside(writer(func([]byte) (int, error) { <-hung; return 0, nil }))
		go log.Run()
		fmt.Fprintln(log, "a line")
		began := time.Now()
		log.end()
		if took := time.Since(began); took > asideTime {
			t.Errorf("the end waits %v for a log that hangs", took)
		}
		close(hung)
	})
	writes := 0
	log := newLogAside(writer(func([]byte) (int, error) { writes++; return 0, errors.New("no space left on device") }))
	go log.Run()
	fmt.Fprintln(log, "one")
	fmt.Fprintln(log, "two")
	log.end()
	if writes != 2 {
		t.Errorf("%d lines were tried on a full disk, want both", writes)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
