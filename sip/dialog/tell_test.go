package dialog_test

import (
	"context"
	"errors"
	"testing"

	"zaseki/sip/dialog"
)

// TestWhoBreaksOverACallEndsOnlyThatCall: a panic of the application refuses a ringing call with 500 and hangs an answered one
// up; the next call is served as if nothing had been.
func TestWhoBreaksOverACallEndsOnlyThatCall(t *testing.T) {
	breaks := make(chan string, 3)
	breaks <- "at once"
	breaks <- "in the call"
	breaks <- "never"
	a := newAgent(t)
	b := newAgent(t, func(cfg *dialog.Config) {
		cfg.OnCall = func(c *dialog.Call) func(dialog.Event) {
			when := <-breaks
			if when == "at once" {
				panic("the application broke")
			}
			_ = c.Answer(context.Background(), answer)
			return func(e dialog.Event) {
				if _, ok := e.(dialog.Reoffered); ok && when == "in the call" {
					panic("the application broke")
				}
			}
		}
	})
	a.invite(b.addr, "udp")
	if failed := expect[dialog.Failed](t, a.out); failed.Code != 500 {
		t.Errorf("refused with %d", failed.Code)
	}
	call := a.invite(b.addr, "udp")
	expect[dialog.Answered](t, a.out)
	_, err := call.Reinvite(t.Context(), offer)
	var refused *dialog.Refused
	if err == nil || errors.As(err, &refused) && refused.Code != 487 && refused.Code != 500 {
		t.Errorf("the offer that broke it: %v", err)
	}
	expect[dialog.Ended](t, a.out)
	a.invite(b.addr, "udp")
	expect[dialog.Answered](t, a.out)
}
