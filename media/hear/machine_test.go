package hear

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAMachineThatKeepsTimeIsNotLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := WatchMachine()
		defer m.End()
		time.Sleep(time.Second)
		if late := m.Late(); late != 0 {
			t.Errorf("late by %v", late)
		}
	})
}

func TestABusyMachineIsLate(t *testing.T) {
	m := WatchMachine()
	defer m.End()
	m.mu.Lock() // as if it did something else
	<-time.After(50 * time.Millisecond)
	m.mu.Unlock()
	for end := time.Now().Add(10 * time.Second); ; <-time.After(time.Millisecond) {
		if late := m.Late(); late >= 40*time.Millisecond {
			return
		} else if time.Now().After(end) {
			t.Fatalf("late by %v after a pause of 50 ms", late)
		}
	}
}
