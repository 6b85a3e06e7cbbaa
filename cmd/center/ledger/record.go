package ledger

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// record is what stands in the log. It holds no sequence: that is the log's own.
type record struct {
	V    int             `json:"v"`
	Op   string          `json:"op"`
	By   string          `json:"by"`
	Why  string          `json:"why,omitempty"`
	At   int64           `json:"at"` // µs since 1970
	Data json.RawMessage `json:"data"`
}

const recordVersion = 1

func encode(op string, w Write) ([]byte, error) {
	if !json.Valid(w.Data) {
		return nil, fmt.Errorf("record of %s: data is not JSON", w.Subject)
	}
	return json.Marshal(record{V: recordVersion, Op: op, By: w.By, Why: w.Why, At: w.At.UnixMicro(), Data: w.Data})
}

func decode(subject string, seq uint64, data []byte) (Event, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return Event{}, fmt.Errorf("record %d of %s: %w", seq, subject, err)
	}
	if r.V != recordVersion {
		return Event{}, fmt.Errorf("record %d of %s: version %d is not ours, %d", seq, subject, r.V, recordVersion)
	}
	return Event{
		Seq: Seq(seq), Subject: subject, Op: r.Op, By: r.By, Why: r.Why, At: time.UnixMicro(r.At).UTC(), Data: r.Data,
	}, nil
}

var base32Name = base32.StdEncoding.WithPadding(base32.NoPadding)

// Subject names the entity of that kind and id. An id with signs that a subject cannot carry (dots, spaces, other scripts)
// is written as "=" and base32, so that two ids never share a subject.
func Subject(kind, id string) string {
	if plain(id) {
		return kind + "." + id
	}
	return kind + ".=" + base32Name.EncodeToString([]byte(id))
}

// Split is Subject's way back; ok is false for what Subject never made.
func Split(subject string) (kind, id string, ok bool) {
	kind, id, ok = strings.Cut(subject, ".")
	if !ok || kind == "" {
		return "", "", false
	}
	coded, isCoded := strings.CutPrefix(id, "=")
	if !isCoded {
		return kind, id, plain(id)
	}
	raw, err := base32Name.DecodeString(coded)
	return kind, string(raw), err == nil && Subject(kind, string(raw)) == subject
}

func plain(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '@', c == '+':
		default:
			return false
		}
	}
	return id != ""
}
