package sip

import (
	"encoding/xml"
	"errors"
	"strconv"
	"strings"

	"zaseki/sip/stack"
)

// The states of a Lamp.
const (
	LampUnknown = "unknown"
	LampIdle    = "idle"
	LampRinging = "ringing"
	LampBusy    = "busy"
)

const (
	summaryMax = 8 << 10 // bytes
	infoMax    = 64 << 10
	dialogsMax = 64 // of one number
)

// parseSummary reads application/simple-message-summary (RFC 3842 §5.2).
func parseSummary(body string) (Messages, bool) {
	var m Messages
	known := false
	if len(body) > summaryMax {
		return m, false
	}
	for line := range strings.Lines(body) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "messages-waiting":
			known = strings.EqualFold(value, "yes") || strings.EqualFold(value, "no")
			m.Waiting = strings.EqualFold(value, "yes")
		case "message-account":
			if stack.Clean(value) && len(value) <= 256 {
				m.Account = value
			}
		case "voice-message":
			counts, _, _ := strings.Cut(value, "(") // the urgent ones are among them
			fresh, old, _ := strings.Cut(counts, "/")
			m.New, m.Old = count(fresh), count(old)
		}
	}
	return m, known
}

func count(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// lamp follows the dialogs of a number, whole lists and changes (RFC 4235 §4.3).
type lamp struct {
	number  string
	told    string
	version int
	known   bool              // a whole list came
	dialogs map[string]string // their states by id
}

// dialogInfo is application/dialog-info+xml.
type dialogInfo struct {
	XMLName xml.Name `xml:"dialog-info"`
	Version int      `xml:"version,attr"`
	State   string   `xml:"state,attr"`
	Dialogs []struct {
		ID        string `xml:"id,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
	} `xml:"dialog"`
}

var errDialogInfo = errors.New("not dialog information")

// take merges one document. One that is older than what we know changes nothing.
func (l *lamp) take(body []byte) error {
	var info dialogInfo
	if len(body) > infoMax {
		return errDialogInfo
	}
	if err := xml.Unmarshal(body, &info); err != nil {
		return errors.Join(errDialogInfo, err)
	}
	whole := !strings.EqualFold(info.State, "partial")
	if len(info.Dialogs) > dialogsMax || !whole && !l.known {
		return errDialogInfo
	}
	if l.known && info.Version < l.version && !whole {
		return nil
	}
	if whole {
		l.dialogs, l.known = map[string]string{}, true
	}
	l.version = info.Version
	for _, d := range info.Dialogs {
		state := strings.ToLower(strings.TrimSpace(d.State))
		if state == "early" && strings.EqualFold(d.Direction, "initiator") {
			state = "proceeding" // they call somebody; nothing rings there
		}
		if state == "terminated" {
			delete(l.dialogs, d.ID)
		} else if len(l.dialogs) < dialogsMax {
			l.dialogs[d.ID] = state
		}
	}
	return nil
}

// state is what the lamp shows: talking outweighs ringing.
func (l *lamp) state() string {
	state := LampIdle
	for _, s := range l.dialogs {
		switch s {
		case "early":
			if state == LampIdle {
				state = LampRinging
			}
		case "confirmed", "proceeding", "trying":
			state = LampBusy
		}
	}
	return state
}
