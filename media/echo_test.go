package media

import (
	"testing"
	"time"
)

// TestOwnerHearsItselfHalfASecondLater by what pion would send, in the codec it spoke, until a call begins.
func TestOwnerHearsItselfHalfASecondLater(t *testing.T) {
	p := newParty(t)
	orders, stop := p.e.Orders("page")
	defer stop()
	<-orders
	owner, err := p.e.page("page")
	if err != nil {
		t.Fatal(err)
	}
	p.conn.page = owner
	owner.conn.Store(p.conn)
	defer owner.conn.Store(nil) // there is nothing of pion's to close
	p.e.owner.Store(owner)
	p.e.EchoPage(true)
	if o := <-orders; !o.Owner || !o.Mic {
		t.Errorf("the microphone is not asked for: %+v", o)
	}
	now := time.Now()
	for i := range 50 {
		p.conn.take(pcmu, p.page.frame(), now.Add(time.Duration(i)*20*time.Millisecond))
	}
	if n := len(p.page.heard) / mixFrame; n != 25 { // the 25 of the first half of the second
		t.Errorf("%d frames came back within a second", n)
	}
	if level := decibels(strength(p.page.heard[mixFrame:], p.page.hz, mixRate), 6000); level < -1 || level > 1 || p.page.seams > 0 {
		t.Errorf("it comes back at %.1f dB with %d seams", level, p.page.seams)
	}
	p.add("a", pcmu)
	p.e.Focus("a")
	if o := <-orders; o.Mic || !o.Live {
		t.Errorf("a call does not end the test: %+v", o)
	}
	p.page.heard = nil
	p.conn.take(pcmu, p.page.frame(), now.Add(2*time.Second))
	if len(p.page.heard) > 0 {
		t.Error("the page hears itself in a call")
	}
	p.e.EchoPage(true)
	if p.e.echo.Load() != nil {
		t.Error("a test began in a call")
	}
}
