package media

// desk is the heart of the mixer and knows nothing but sound: ports that each bring a frame, and who hears whom. Conference,
// listening, whispering and joining differ only in that table.
type desk struct {
	in    [][]int16 // by port, mixFrame samples; nil: silent
	hears [][]bool  // [to][from]
	sum   [mixFrame]int32
}

// newDesk has that many ports, each of which hears all others.
func newDesk(ports int) *desk {
	d := &desk{in: make([][]int16, ports), hears: make([][]bool, ports)}
	for to := range d.hears {
		d.hears[to] = make([]bool, ports)
		for from := range d.hears[to] {
			d.hears[to][from] = to != from
		}
	}
	return d
}

// out is what a port hears. False: nobody it hears makes a sound, and dst is silence.
func (d *desk) out(to int, dst []int16) bool {
	clear(d.sum[:])
	voices := 0
	for from, pcm := range d.in {
		if pcm == nil || !d.hears[to][from] {
			continue
		}
		voices++
		for i, s := range pcm[:mixFrame] {
			d.sum[i] += int32(s)
		}
	}
	for i, s := range d.sum {
		dst[i] = soft(s)
	}
	return voices > 0
}

// soft bends what is louder than three quarters of full scale, without a corner, so that a sum never goes over the edge.
func soft(v int32) int16 {
	const knee, room = 24576, 32767 - 24576
	switch {
	case v > knee:
		over := int64(v - knee)
		return int16(knee + room*over/(room+over))
	case v < -knee:
		over := int64(-v - knee)
		return int16(-knee - room*over/(room+over))
	}
	return int16(v)
}
