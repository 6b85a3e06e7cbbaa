package media

import "testing"

// law is one of the two of ITU-T G.711 as its tables 1 and 2 give it, for this test alone: at which values the steps between
// decision values grow, to what, and where it ends; in units of which a sample of 16 bits has so many.
type law struct {
	name   string
	encode func(int16) byte
	decode *[256]int16
	steps  [][2]int
	top    int
	unit   int
	code   func(n int, negative bool) byte // of the n-th interval
}

var laws = []law{
	{"u-law", uLaw, fromULaw, [][2]int{{0, 1}, {1, 2}, {31, 4}, {95, 8}, {223, 16}, {479, 32}, {991, 64}, {2015, 128}, {4063, 256}}, 8159, 4,
		func(n int, negative bool) byte {
			if negative {
				return 0x7f - byte(n)
			}
			return 0xff - byte(n)
		}},
	{"A-law", aLaw, fromALaw, [][2]int{{0, 2}, {64, 4}, {128, 8}, {256, 16}, {512, 32}, {1024, 64}, {2048, 128}}, 4096, 8,
		func(n int, negative bool) byte {
			if negative {
				return byte(n) ^ 0x55
			}
			return (0x80 | byte(n)) ^ 0x55
		}},
}

// intervals are the decision values, and the value in the middle of each that a decoder gives; the first of µ-law gives zero.
func (l *law) intervals() (from, value []int) {
	for i, s := range l.steps {
		end := l.top
		if i+1 < len(l.steps) {
			end = l.steps[i+1][0]
		}
		for x := s[0]; x < end; x += s[1] {
			from, value = append(from, x), append(value, x+s[1]/2)
		}
	}
	return from, value
}

func TestG711IsTheRecommendationsForEverySampleAndCode(t *testing.T) {
	Computes(t)
	for _, l := range laws {
		from, value := l.intervals()
		if len(from) != 128 {
			t.Fatalf("%s has %d intervals", l.name, len(from))
		}
		for n, v := range value {
			for _, negative := range []bool{false, true} {
				want := v * l.unit
				if negative {
					want = -want
				}
				if got := int(l.decode[l.code(n, negative)]); got != want {
					t.Errorf("%s: interval %d, negative %v, is decoded to %d, not %d", l.name, n, negative, got, want)
				}
			}
		}
		for s := -32768; s <= 32767; s++ {
			size, n := max(s, -s), 127
			for n > 0 && from[n]*l.unit > size {
				n--
			}
			got, want := l.encode(int16(s)), l.code(n, s < 0)
			if edge := size == from[n]*l.unit && n > 0 && got == l.code(n-1, s < 0); got != want && !(edge && s < 0) {
				t.Fatalf("%s: %d becomes %#x, not %#x", l.name, s, got, want)
			}
		}
	}
}

// What is decoded is encoded to the same code again, so that a call may pass any number of exchanges.
func TestG711IsStable(t *testing.T) {
	for _, l := range laws {
		for code := range 256 {
			if again := l.decode[l.encode(l.decode[code])]; again != l.decode[code] {
				t.Errorf("%s: code %#x is %d, and then %d", l.name, code, l.decode[code], again)
			}
		}
	}
}
