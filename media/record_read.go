package media

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// RecordRate is the rate at which a recording is read, in Hz.
const RecordRate = mixRate

// ErrRecording says that the blocks of a recording cannot be read.
var ErrRecording = errors.New("the recording's blocks cannot be read")

const (
	// tapeHold is how late a packet may come, after a stall of the network, and still get its place.
	tapeHold = 3 * time.Second
	// tapeDrift is how far timestamps and arrival may be apart before the timestamps are set against the clock anew.
	tapeDrift = 250 * time.Millisecond
	// tapeStall is how long they may be late: a network's stall is over by then, timestamps that stood still are not.
	tapeStall = time.Second
	// tapeWaits bounds what waits for its turn: ten times what a call brings in that time.
	tapeWaits = 10000
)

// samplesAt is a time of a recording in samples.
func samplesAt(at uint32) int64 { return int64(at) * mixRate / int64(time.Second/recordUnit) }

func samplesIn(d time.Duration) int64 { return int64(d) * mixRate / int64(time.Second) }

// entry is one of a block.
type entry struct {
	kind  byte
	at    uint32
	codec codec
	pack  packet
}

// blocks reads the blocks of a recording one after the other.
type blocks struct {
	in  *bufio.Reader
	buf []byte
	end uint32 // the latest time so far
}

// next gives the entries of the next block, good until the next call; io.EOF at the end.
func (b *blocks) next() ([]entry, error) {
	var head [blockHead]byte
	if _, err := io.ReadFull(b.in, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: half a block", ErrRecording)
		}
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if head[0] != recordVersion {
		return nil, fmt.Errorf("%w: version %d is not ours, %d", ErrRecording, head[0], recordVersion)
	}
	if length > 4*recordRoom {
		return nil, fmt.Errorf("%w: a block of %d bytes", ErrRecording, length)
	}
	b.buf = slices.Grow(b.buf[:0], int(length))[:length]
	if _, err := io.ReadFull(b.in, b.buf); err != nil {
		return nil, fmt.Errorf("%w: half a block", ErrRecording)
	}
	var list []entry
	for rest := b.buf; len(rest) > 0; {
		e, n := readEntry(rest)
		if n == 0 || samplesAt(e.at) > samplesIn(recordLongest+time.Minute) {
			return nil, fmt.Errorf("%w: entry %d of a block", ErrRecording, len(list))
		}
		list, rest = append(list, e), rest[n:]
		b.end = max(b.end, e.at)
	}
	return list, nil
}

// readEntry says how long it is; 0: there is none.
func readEntry(b []byte) (e entry, n int) {
	if len(b) < markHead {
		return e, 0
	}
	e.kind, e.at = b[0], binary.BigEndian.Uint32(b[1:])
	switch {
	case e.kind == markTick, e.kind == markPaused, e.kind == markResumed:
		return e, markHead
	case e.kind == markLost && len(b) >= markHead+4:
		return e, markHead + 4
	case e.kind >= markTick || len(b) < packetHead:
		return e, 0
	}
	e.codec = codec(e.kind & 15)
	e.pack = packet{ssrc: binary.BigEndian.Uint32(b[5:]), ts: binary.BigEndian.Uint32(b[9:]), seq: binary.BigEndian.Uint16(b[13:])}
	n = packetHead + int(binary.BigEndian.Uint16(b[15:]))
	if e.codec == noCodec || e.codec >= codecs || n > len(b) {
		return e, 0
	}
	e.pack.payload = b[packetHead:n]
	return e, n
}

// RecordLength is how many samples in a row ReadRecording gives of the same blocks, for each of the two channels.
func RecordLength(r io.Reader) (int64, error) {
	b := blocks{in: bufio.NewReader(r)}
	for {
		if _, err := b.next(); errors.Is(err, io.EOF) {
			return samplesAt(b.end), nil
		} else if err != nil {
			return 0, err
		}
	}
}

// ReadRecording makes sound of a recording's blocks: 16 bits, at RecordRate, the agent left and the caller right, in turn. Every
// packet is put where its timestamp and its arrival say; what was lost, paused or held is silence. The slice is reused.
func ReadRecording(r io.Reader, to func(stereo []int16) error) error {
	b := blocks{in: bufio.NewReader(r)}
	var out deck
	for {
		list, err := b.next()
		if errors.Is(err, io.EOF) {
			return out.play(samplesAt(b.end), samplesAt(b.end), to)
		}
		if err != nil {
			return err
		}
		for _, e := range list {
			if e.codec != noCodec {
				out.sides[e.kind>>4&1].put(e)
			}
		}
		now := samplesAt(b.end)
		if err := out.play(now-samplesIn(tapeHold), now-2*samplesIn(tapeHold), to); err != nil {
			return err
		}
	}
}

// deck plays both directions side by side.
type deck struct {
	sides  [2]tapeTrack // from the network, to it
	given  int64        // samples so far
	stereo []int16
}

// play decodes what arrived before that time, and gives the sound up to another.
func (d *deck) play(arrived, until int64, to func([]int16) error) error {
	const most = mixRate // samples at once
	for d.given < until {
		n := int(min(until-d.given, most))
		for i := range d.sides {
			d.sides[i].decode(arrived, d.given+int64(n))
		}
		d.stereo = slices.Grow(d.stereo[:0], 2*n)[:2*n]
		clear(d.stereo)
		d.sides[1].copyTo(d.stereo, 0, d.given, n)
		d.sides[0].copyTo(d.stereo, 1, d.given, n)
		d.given += int64(n)
		if err := to(d.stereo); err != nil {
			return err
		}
	}
	return nil
}

// tapeTrack is one direction on its way to sound.
type tapeTrack struct {
	begun  bool
	ssrc   uint32
	clock  uint32
	place  int64  // in samples, of ts
	ts     uint32 //
	late   int64  // since when the timestamps are behind
	isLate bool

	waits []queued // in the order of their places
	voice reader
	pcm   []int16
	start int64 // place of pcm's first sample
}

// queued is a packet that is not decoded yet.
type queued struct {
	place, arrived int64
	codec          codec
	payload        []byte
}

func (t *tapeTrack) put(e entry) {
	if len(t.waits) >= tapeWaits {
		return
	}
	arrived := samplesAt(e.at)
	w := queued{place: t.placeOf(e, arrived), arrived: arrived, codec: e.codec, payload: slices.Clone(e.pack.payload)}
	i, _ := slices.BinarySearchFunc(t.waits, w, func(a, b queued) int { return cmp.Compare(a.place, b.place) })
	t.waits = slices.Insert(t.waits, i, w)
}

// placeOf is where on the line of time a packet belongs.
func (t *tapeTrack) placeOf(e entry, arrived int64) int64 {
	clock := specs[e.codec].clock
	place := t.place + int64(int32(e.pack.ts-t.ts))*mixRate/int64(max(clock, 1))
	behind := arrived - place
	if behind <= samplesIn(tapeDrift) {
		t.isLate = false
	} else if !t.isLate {
		t.isLate, t.late = true, arrived
	}
	switch {
	case !t.begun, t.ssrc != e.pack.ssrc, t.clock != clock, -behind > samplesIn(tapeDrift), behind > samplesIn(tapeHold),
		t.isLate && arrived-t.late > samplesIn(tapeStall):
		t.begun, t.isLate, t.ssrc, t.clock = true, false, e.pack.ssrc, clock
		place = arrived &^ 1 // even, so that whoever wants 8 kHz gets the samples that were spoken
	case place < t.place:
		return place // out of order
	}
	t.place, t.ts = place, e.pack.ts
	return place
}

// decode makes sound of what arrived by then and has its place before the end, in the order of the places.
func (t *tapeTrack) decode(by, end int64) {
	n := 0
	for ; n < len(t.waits) && t.waits[n].arrived <= by && t.waits[n].place < end; n++ {
		w := t.waits[n]
		have := t.start + int64(len(t.pcm))
		if gap := w.place - have; gap > 0 {
			t.pcm = append(t.pcm, make([]int16, gap)...)
			have = w.place
		}
		at := len(t.pcm)
		t.pcm = t.voice.read(t.pcm, w.codec, w.payload)
		if over := min(int(have-w.place), len(t.pcm)-at); over > 0 { // it was there already
			t.pcm = slices.Delete(t.pcm, at, at+over)
		}
	}
	t.waits = slices.Delete(t.waits, 0, n)
}

// copyTo puts n samples from that place on into every second one of stereo, and forgets what is before their end.
func (t *tapeTrack) copyTo(stereo []int16, channel int, from int64, n int) {
	for i := range n {
		if at := from + int64(i) - t.start; at >= 0 && at < int64(len(t.pcm)) {
			stereo[2*i+channel] = t.pcm[at]
		}
	}
	if done := from + int64(n) - t.start; done > 0 {
		rest := copy(t.pcm, t.pcm[min(done, int64(len(t.pcm))):])
		t.pcm = t.pcm[:rest]
		t.start = from + int64(n)
	}
}

// WAVHead is the size of a WAV file's head in bytes.
const WAVHead = 44

// WriteWAV writes a recording as a WAV file: 16 bits, RecordRate, agent left, caller right. Length is RecordLength of the same
// blocks; the file has WAVHead + 4·length bytes.
func WriteWAV(w io.Writer, r io.Reader, length int64) error {
	if _, err := w.Write(wavHead(length)); err != nil {
		return err
	}
	var buf []byte
	return ReadRecording(r, func(stereo []int16) error {
		buf = buf[:0]
		for _, s := range stereo {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(s))
		}
		_, err := w.Write(buf)
		return err
	})
}

// wavHead describes 16-bit stereo PCM of that many samples in a row.
func wavHead(length int64) []byte {
	const align, bits, pcm, stereo = 4, 16, 1, 2
	le := binary.LittleEndian
	h := make([]byte, 0, WAVHead)
	h = le.AppendUint32(append(h, "RIFF"...), uint32(WAVHead-8+align*length))
	h = le.AppendUint32(append(h, "WAVEfmt "...), 16)
	h = le.AppendUint16(le.AppendUint16(h, pcm), stereo)
	h = le.AppendUint32(le.AppendUint32(h, mixRate), mixRate*align)
	h = le.AppendUint16(le.AppendUint16(h, align), bits)
	return le.AppendUint32(append(h, "data"...), uint32(align*length))
}
