package exchange

import "strings"

// Session descriptions go through unread, with two exceptions: SDES keys never leave an encrypted side for one that is not, and a
// side that was held when its far side changed is not held any more.

// across is a description as another leg may see it. Keys in it (RFC 4568) are worth something only where both sides are
// encrypted: else they are taken out of an offer that works without, and one that demands them is refused. Between two open
// sides they are what those two want.
func across(sdp string, from, to *leg) (string, bool) {
	return acrossTo(sdp, from.secure(), to.secure())
}

func acrossTo(sdp string, from, to bool) (string, bool) {
	if from == to || !strings.Contains(sdp, "\na=crypto:") {
		return sdp, true
	}
	var kept strings.Builder
	for line := range strings.SplitAfterSeq(sdp, "\n") {
		switch {
		case strings.HasPrefix(line, "m=") && strings.Contains(line, " RTP/SAVP"):
			return "", false
		case strings.HasPrefix(line, "a=crypto:"):
			continue
		}
		kept.WriteString(line)
	}
	return kept.String(), true
}

// unheld is what a side last said, without the hold of its far side (RFC 3264 §8.4): recvonly is the answer to a hold. A hold
// of its own stays.
func unheld(sdp, far string) string {
	inactive := "a=sendrecv"
	if strings.Contains(far, "a=sendonly") { // answered so by who holds too
		inactive = "a=sendonly"
	}
	lines := strings.SplitAfter(sdp, "\n")
	for i, line := range lines {
		switch strings.TrimRight(line, "\r\n") {
		case "a=recvonly":
			lines[i] = strings.Replace(line, "a=recvonly", "a=sendrecv", 1)
		case "a=inactive":
			lines[i] = strings.Replace(line, "a=inactive", inactive, 1)
		}
	}
	return strings.Join(lines, "")
}

// alike says that two descriptions of one side send and expect the same sound at the same place: what the far side must know.
// Codecs may have become fewer with an answer.
func alike(a, b string) bool { return essence(a) == essence(b) }

func essence(sdp string) string {
	var kept strings.Builder
	for line := range strings.Lines(sdp) {
		line = strings.TrimRight(line, "\r\n")
		if media, ok := strings.CutPrefix(line, "m="); ok {
			fields := strings.Fields(media)
			line = "m=" + strings.Join(fields[:min(3, len(fields))], " ")
		}
		for _, matters := range [...]string{"c=", "m=", "a=crypto:", "a=fingerprint:", "a=sendonly", "a=recvonly", "a=inactive", "a=rtcp:"} {
			if strings.HasPrefix(line, matters) {
				kept.WriteString(line)
				kept.WriteByte('\n')
			}
		}
	}
	return kept.String()
}
