package media

import "testing"

func TestDeskLetsHearWhoIsAllowed(t *testing.T) {
	tones := []float64{500, 900, 1400}
	rows := []struct {
		name  string
		hears [3][3]bool // agent, caller, supervisor
	}{
		{"conference", [3][3]bool{{false, true, true}, {true, false, true}, {true, true, false}}},
		{"listen", [3][3]bool{{false, true, false}, {true, false, false}, {true, true, false}}},
		{"whisper", [3][3]bool{{false, true, true}, {true, false, false}, {true, true, false}}},
		{"nobody", [3][3]bool{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(3)
			for i, hz := range tones {
				d.in[i] = sine(mixFrame, hz, mixRate, 9000)
			}
			if row.name != "conference" { // which is how a desk begins
				for to := range d.hears {
					copy(d.hears[to], row.hears[to][:])
				}
			}
			out := make([]int16, mixFrame)
			for to := range tones {
				d.out(to, out)
				for from, hz := range tones {
					s := decibels(strength(out, hz, mixRate), 9000)
					if heard := row.hears[to][from]; heard && s < -1 || !heard && s > -50 {
						t.Errorf("port %d hears port %d at %.0f dB", to, from, s)
					}
				}
			}
		})
	}
}

func TestSumsNeverGoOverTheEdge(t *testing.T) {
	last := soft(-32768 * 40)
	for v := int32(-32768 * 40); v <= 32767*40; v += 13 {
		s := soft(v)
		if s < last || v > -24576 && v < 24576 && s != int16(v) || v > 0 && s < 0 || v < 0 && s > 0 {
			t.Fatalf("%d becomes %d after %d", v, s, last)
		}
		last = s
	}
	d := newDesk(11)
	for i := range d.in {
		d.in[i] = sine(mixFrame, 500, mixRate, 32000)
	}
	out := make([]int16, mixFrame)
	d.out(0, out)
	for i, v := range out {
		if in := d.in[1][i]; in > 0 && v < in || in < 0 && v > in {
			t.Fatalf("ten voices of %d sound as %d", in, v)
		}
	}
	d.in = make([][]int16, 11)
	if d.out(0, out) || out[7] != 0 {
		t.Error("silence is not silent")
	}
}
