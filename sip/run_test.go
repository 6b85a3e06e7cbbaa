package sip_test

import (
	"context"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip"
	"zaseki/sip/stack"
)

// TestAPhoneThatEndsKeepsNobodyWaiting: neither who registers at that moment nor who takes such a line off the server.
func TestAPhoneThatEndsKeepsNobodyWaiting(t *testing.T) {
	for range 6 {
		s, told := newServer(t), make(chan sip.Event, 10)
		p := &phone{Phone: sip.New(sip.Config{Tell: func(e sip.Event) { told <- e }}), t: t, name: "alice"}
		done := make(chan error, 1)
		go func() { done <- p.Register(context.Background(), p.account(s.conn.LocalAddr().String(), "udp")) }()
		req := s.gets(sipgo.REGISTER)
		s.says(req, 200, "Contact", stack.Header(req, "Contact")+";expires=60")
		<-told // its line is there, and nobody keeps it
		over, end := context.WithCancel(context.Background())
		end()
		_ = p.Run(over)
		comes(t, done) // an error, unless it was taken over at the last moment
		go func() { done <- p.Unregister(context.Background()) }()
		if comes(t, done) == nil {
			t.Error("unregistered without a way")
		}
	}
}

func comes(t *testing.T, done chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("somebody still waits")
		return nil
	}
}
