package media

import (
	"errors"
	"testing"
)

func TestKeysAsTonesCanBeSwitchedInTheMiddleOfACall(t *testing.T) {
	near, far := startedInBand(t, &told{}, pcmu), startedInBand(t, &told{}, pcmu)
	near.InBand(false)
	offer, err := near.OpenLine("x", local, Security{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := far.AnswerLine("x", local, withoutEvents(offer), Security{})
	if err == nil {
		err = near.SetAnswer("x", withoutEvents(answer))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{false, true, false} {
		near.InBand(on)
		if err := near.Digits("x", "1"); on && err != nil || !on && !errors.Is(err, ErrNoDigits) {
			t.Errorf("switched %v: %v", on, err)
		}
	}
}
