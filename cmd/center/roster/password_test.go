package roster

import (
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

// TestHashesOfOtherCostsAreGoodOnce: a password that was hashed with three passes lets in, and is not what is made today.
func TestHashesOfOtherCostsAreGoodOnce(t *testing.T) {
	p := newPasswords(Cost{})
	salt := []byte("sixteen bytes of")
	for _, r := range []struct {
		name         string
		time, memory uint32
		today        bool
	}{
		{"three passes, as it was", 3, 32 << 10, false},
		{"the least of OWASP", 2, 19 << 10, false},
		{"today's", 2, 32 << 10, true},
	} {
		hash := phc(r.time, r.memory, hashThreads, salt, argon2.IDKey([]byte(password), salt, r.time, r.memory, hashThreads, hashTag))
		if ok, err := p.right(t.Context(), hash, password); !ok || err != nil {
			t.Errorf("%s: %v %v", r.name, ok, err)
		}
		if ok, err := p.right(t.Context(), hash, password+"x"); ok || err != nil {
			t.Errorf("%s: another password: %v %v", r.name, ok, err)
		}
		if p.today(hash) != r.today {
			t.Errorf("%s: today's: %v", r.name, !r.today)
		}
	}
	fresh, err := p.hash(t.Context(), password)
	if err != nil || !p.today(fresh) || !strings.HasPrefix(fresh, "$argon2id$v=19$m=32768,t=2,p=1$") || !p.today(p.dummy) {
		t.Fatal(fresh, err)
	}
}
