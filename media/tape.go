package media

// ULaw plays G.711 µ-law at 8 kHz once, as a file without a header holds it.
func ULaw(data []byte) Source { return &tape{data: data} }

// DecodeULaw is G.711 µ-law as samples (ITU-T G.711).
func DecodeULaw(data []byte) []int16 {
	pcm := make([]int16, len(data))
	for i, b := range data {
		pcm[i] = fromULaw[b]
	}
	return pcm
}

type tape struct{ data []byte }

func (t *tape) Next(frame []int16) bool {
	if len(t.data) == 0 {
		return false
	}
	n := min(len(frame), len(t.data))
	for i := range frame {
		frame[i] = 0
		if i < n {
			frame[i] = fromULaw[t.data[i]]
		}
	}
	t.data = t.data[n:]
	return true
}

// Holds says that whoever wrote this session description does not want to hear us: sendonly, inactive or c=0.0.0.0
// (RFC 3264 §8.4). A description that cannot be read holds nobody.
func Holds(sdp string) bool {
	sections, err := parseSDP(sdp)
	if err != nil {
		return false
	}
	for _, s := range sections {
		if s.voice() {
			return s.held()
		}
	}
	return false
}
