package media

import "strings"

// codec is one of the four voice formats that pages and lines have in common.
type codec uint8

const (
	noCodec codec = iota
	opus
	g722
	pcmu
	pcma
	codecs // how many, noCodec included

	digits codec = 0x7f // in tables of payload types: telephone-event
)

// frameTime is how much sound one packet carries, in milliseconds.
const frameTime = 20

// spec is how a codec is named in SDP. Clock is the RTP clock: G.722 samples at 16 kHz but counts at 8 (RFC 3551 §4.5.2).
type spec struct {
	name     string
	encoding string // as in a=rtpmap
	clock    uint32
	pt       uint8 // static (RFC 3551 §6) or the dynamic one we offer
	fmtp     string
	mime     string
	channels uint16
}

var specs = [codecs]spec{
	opus: {"opus", "opus/48000/2", 48000, 111, "minptime=10;useinbandfec=1", "audio/opus", 2},
	g722: {"G722", "G722/8000", 8000, 9, "", "audio/G722", 0},
	pcmu: {"PCMU", "PCMU/8000", 8000, 0, "", "audio/PCMU", 0},
	pcma: {"PCMA", "PCMA/8000", 8000, 8, "", "audio/PCMA", 0},
}

// usual is the order in which a line offers codecs. Opus comes last: it passes through, but mixing wants the others.
var usual = []codec{g722, pcmu, pcma, opus}

func (c codec) String() string { return specs[c%codecs].name }

// frame is the length of a packet in units of the RTP clock.
func (c codec) frame() uint32 { return specs[c%codecs].clock / 1000 * frameTime }

// codecNamed finds a codec by its name as in a=rtpmap, in any case.
func codecNamed(name string, clock uint32) codec {
	for c := opus; c < codecs; c++ {
		if strings.EqualFold(specs[c].name, name) && specs[c].clock == clock {
			return c
		}
	}
	return noCodec
}

// codecsNamed turns configured names into codecs; unknown names are left out.
func codecsNamed(names []string) []codec {
	if len(names) == 0 {
		return usual
	}
	var list []codec
	for _, name := range names {
		for c := opus; c < codecs; c++ {
			if strings.EqualFold(specs[c].name, name) {
				list = append(list, c)
			}
		}
	}
	return list
}

// opusSilence is a 20 ms CELT frame of silence: configuration 31, mono (RFC 6716 §3.1).
const opusSilence = "\xf8\xff\xfe"

var silences = [codecs][]byte{
	opus: []byte(opusSilence),
	g722: filled(g722Silence, maxFrame),
	pcmu: filled("\xff", maxFrame),
	pcma: filled("\xd5", maxFrame),
}

// maxFrame is the longest payload in bytes that we replace by silence; longer ones are cut.
const maxFrame = 960

func filled(pattern string, n int) []byte {
	return []byte(strings.Repeat(pattern, (n+len(pattern)-1)/len(pattern)))[:n]
}

// quiet is a packet of silence of that many milliseconds, one of 10 to 60 in tens.
func (c codec) quiet(ms int) []byte {
	if c == opus {
		return []byte(opusQuiet[min(max(ms/10, 1), len(opusQuiet))-1])
	}
	return c.silence(ms * 8)
}

// opusQuiet is silence of 10, 20 … 60 ms: CELT frames of 10 or 20 ms, several in a packet (RFC 6716 §3.2.5).
var opusQuiet = [...]string{"\xf0\xff\xfe", opusSilence, "\xf3\x03\xff\xfe\xff\xfe\xff\xfe", "\xfb\x02\xff\xfe\xff\xfe",
	"\xf3\x05\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe", "\xfb\x03\xff\xfe\xff\xfe\xff\xfe"}

// silence is a payload that decodes to nothing, as long as size bytes where the format knows lengths.
func (c codec) silence(size int) []byte {
	if c == opus {
		return silences[opus]
	}
	return silences[c%codecs][:min(size, maxFrame)]
}

// g722Silence is the least positive code of both bands (ITU-T G.722): whatever a decoder heard before, it soon makes samples
// of at most 10 in 32768 from it, which nobody hears.
const g722Silence = "\xfd"
