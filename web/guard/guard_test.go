package guard

import (
	"testing"
	"testing/synctest"
	"time"

	"zaseki/web/wire"
)

func TestACodeIsGoodOnceAndNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := New("127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		first, late := g.Code(), g.Code()
		if _, ok := g.Open(first); !ok {
			t.Error("a fresh code opens nothing")
		}
		if _, ok := g.Open(first); ok {
			t.Error("a code opened twice")
		}
		time.Sleep(codeLife + time.Second)
		if _, ok := g.Open(late); ok {
			t.Error("an old code opens")
		}
		if len(g.codes.open) != 0 {
			t.Errorf("%d codes are kept", len(g.codes.open))
		}
	})
}

func TestCodesDoNotPileUp(t *testing.T) {
	c := newCodes()
	oldest := c.make()
	var newest wire.Secret
	for range maxCodes {
		newest = c.make()
	}
	if len(c.open) != maxCodes || c.take(oldest) || !c.take(newest) {
		t.Errorf("%d codes; the oldest must make room for the newest", len(c.open))
	}
}

func TestEveryStartHasItsOwnSecrets(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		g, err := New("127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{g.token.Reveal(), g.pass.Reveal(), g.cookie} {
			if seen[s] || len(s) < 12 {
				t.Fatalf("secret of %d characters is short or seen before", len(s))
			}
			seen[s] = true
		}
	}
}
