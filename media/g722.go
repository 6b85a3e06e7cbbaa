package media

// G.722 at 64 kbit/s (ITU-T G.722, mode 1): 16 kHz split by a quadrature mirror filter into two bands, each coded by ADPCM,
// six bits for the lower and two for the upper, together one octet for two samples. The names in comments are the
// Recommendation's blocks (§6.2); arithmetic is in 16 bits with saturation, as there, so that every decoder agrees to the bit.

// band is the adaptive predictor and quantiser scale of one band.
type band struct {
	s, sz  int    // the prediction, and the part of it by the zeros
	r      [2]int // reconstructed signal, newest first
	p      [2]int // partly reconstructed
	a      [2]int // poles
	d      [6]int // quantised differences
	b      [6]int // zeros
	nb     int    // logarithm of the scale
	det    int    // scale
	bottom int    // of det: 8 minus the exponent of the smallest scale
	top    int    // of nb
}

func lowBand() band  { return band{det: 32, bottom: 8, top: 18432} }
func highBand() band { return band{det: 8, bottom: 10, top: 22528} }

func sat(v int) int { return max(-32768, min(32767, v)) }

// Quantiser tables of the Recommendation (tables 14 to 21).
var (
	q6  = [...]int{0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919}
	qm2 = [...]int{-7408, -1616, 7408, 1616}
	qm4 = [...]int{0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0}
	qm6 = [...]int{-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136}
	wl  = [...]int{-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60} // by the upper four bits
	wh  = [...]int{798, -214, 798, -214}
	ilb = [...]int{2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008}
	qmf = [...]int{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}
)

// scale adapts the quantiser's scale (LOGSCL, SCALEL; LOGSCH, SCALEH).
func (b *band) scale(step int) {
	b.nb = max(0, min(b.top, b.nb*127>>7+step))
	shift := b.bottom - b.nb>>11
	det := ilb[b.nb>>6&31]
	if shift < 0 {
		b.det = det << -shift << 2
	} else {
		b.det = det >> shift << 2
	}
}

// adapt takes a quantised difference and makes the next prediction (block 4).
func (b *band) adapt(d int) {
	r, p := sat(b.s+d), sat(b.sz+d) // RECONS, PARREC
	a1, a2 := b.poles(p)
	b.zeros(d)
	b.r[1], b.r[0] = b.r[0], r
	b.p[1], b.p[0] = b.p[0], p
	b.a[0], b.a[1] = a1, a2
	sp := sat(a1*sat(2*b.r[0])>>15 + a2*sat(2*b.r[1])>>15) // FILTEP
	sz := 0
	for i := range b.d { // FILTEZ
		sz += b.b[i] * sat(2*b.d[i]) >> 15
	}
	b.sz = sat(sz)
	b.s = sat(sp + b.sz) // PREDIC
}

// poles moves the second-order predictor (UPPOL2, UPPOL1) by the sign of what was partly reconstructed.
func (b *band) poles(p int) (a1, a2 int) {
	same, before := p>>15 == b.p[0]>>15, p>>15 == b.p[1]>>15
	w := sat(4 * b.a[0])
	if same {
		w = min(-w, 32767)
	}
	w >>= 7
	if before {
		w += 128
	} else {
		w -= 128
	}
	a2 = max(-12288, min(12288, w+b.a[1]*32512>>15))
	w = -192
	if same {
		w = 192
	}
	most := sat(15360 - a2)
	a1 = max(-most, min(most, sat(w+b.a[0]*32640>>15)))
	return a1, a2
}

// zeros moves the sixth-order predictor (UPZERO) and takes d in.
func (b *band) zeros(d int) {
	step := 128
	if d == 0 {
		step = 0
	}
	for i, old := range b.d {
		w := step
		if d>>15 != old>>15 {
			w = -step
		}
		b.b[i] = sat(w + b.b[i]*32640>>15)
	}
	copy(b.d[1:], b.d[:5])
	b.d[0] = d
}

// highLevel is the one decision level of the upper band.
const highLevel = 564

// g722Encoder is one sender's state.
type g722Encoder struct {
	low, high band
	x         [24]int // of the mirror filter
}

func newG722Encoder() *g722Encoder { return &g722Encoder{low: lowBand(), high: highBand()} }

// encode appends half as many octets as there are samples at 16 kHz; an odd last sample is left out.
func (e *g722Encoder) encode(dst []byte, pcm []int16) []byte {
	for i := 0; i+1 < len(pcm); i += 2 {
		copy(e.x[:], e.x[2:])
		e.x[22], e.x[23] = int(pcm[i]), int(pcm[i+1])
		even, odd := filter(&e.x)
		dst = append(dst, e.upper((even-odd)>>14)<<6|e.lower((even+odd)>>14))
	}
	return dst
}

// filter is both halves of the mirror filter; receiver and sender use the same.
func filter(x *[24]int) (even, odd int) {
	for i, c := range qmf {
		odd += x[2*i] * c
		even += x[2*i+1] * qmf[11-i]
	}
	return even, odd
}

// lower codes a sample of the lower band in six bits (SUBTRA, QUANTL, INVQAL).
func (e *g722Encoder) lower(x int) byte {
	b := &e.low
	diff := sat(x - b.s)
	size := diff
	if diff < 0 {
		size = -(diff + 1)
	}
	level := 1
	for level < 30 && size >= q6[level]*b.det>>12 {
		level++
	}
	code := 62 - level // the smallest is 61
	switch {
	case diff < 0 && level <= 2:
		code = 64 - level // the smallest two are 63 and 62
	case diff < 0:
		code = 34 - level // and 31 downward
	}
	d := b.det * qm4[code>>2] >> 15
	b.scale(wl[code>>2])
	b.adapt(d)
	return byte(code)
}

// upper codes a sample of the upper band in two bits (SUBTRA, QUANTH, INVQAH).
func (e *g722Encoder) upper(x int) byte {
	b := &e.high
	diff := sat(x - b.s)
	size, code := diff, 3
	if diff < 0 {
		size, code = -(diff + 1), 1
	}
	if size >= highLevel*b.det>>12 {
		code--
	}
	d := b.det * qm2[code] >> 15
	b.scale(wh[code])
	b.adapt(d)
	return byte(code)
}

// g722Decoder is one receiver's state.
type g722Decoder struct {
	low, high band
	x         [24]int
}

func newG722Decoder() *g722Decoder { return &g722Decoder{low: lowBand(), high: highBand()} }

// decodeLow appends one sample at 8 kHz for every octet, of the lower band alone.
func (d *g722Decoder) decodeLow(dst []int16, payload []byte) []int16 {
	for _, c := range payload {
		low := int(c & 63)
		l := max(-16384, min(16383, d.low.s+d.low.det*qm6[low]>>15))
		diff := d.low.det * qm4[low>>2] >> 15
		d.low.scale(wl[low>>2])
		d.low.adapt(diff)
		dst = append(dst, int16(2*l))
	}
	return dst
}

// decode appends two samples at 16 kHz for every octet.
func (d *g722Decoder) decode(dst []int16, payload []byte) []int16 {
	for _, c := range payload {
		low, high := int(c&63), int(c>>6)
		l := max(-16384, min(16383, d.low.s+d.low.det*qm6[low]>>15)) // INVQBL, RECONS, LIMIT
		diff := d.low.det * qm4[low>>2] >> 15
		d.low.scale(wl[low>>2])
		d.low.adapt(diff)
		diff = d.high.det * qm2[high] >> 15
		h := max(-16384, min(16383, d.high.s+diff))
		d.high.scale(wh[high])
		d.high.adapt(diff)
		copy(d.x[:], d.x[2:])
		d.x[22], d.x[23] = l+h, l-h
		even, odd := filter(&d.x)
		dst = append(dst, int16(sat(even>>11)), int16(sat(odd>>11)))
	}
	return dst
}
