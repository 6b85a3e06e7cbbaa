package vault_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"zaseki/cmd/center/vault"
	"zaseki/media"
)

func TestWhoHearsARecordingIsWrittenDownFirst(t *testing.T) {
	r := newRoom(t)
	data := sealedFor(t, r.key, recordingID)
	code, _ := r.put("alice", recordingID, data, 0, len(data))
	r.want("handed over", code, http.StatusCreated)
	path := "/api/v1/recordings/" + recordingID
	for _, row := range []struct {
		who  string
		own  bool // agents may hear own calls
		code int
	}{
		{"", true, http.StatusUnauthorized}, {"alice", false, http.StatusNotFound}, {"bob", true, http.StatusNotFound},
		{"alice", true, http.StatusOK}, {"boss", false, http.StatusOK}, {"staff", false, http.StatusOK},
	} {
		r.policy.Hear = row.own
		resp, body := r.ask(http.MethodGet, row.who, path, nil, nil)
		if resp.StatusCode != row.code {
			t.Errorf("%q: %d, not %d", row.who, resp.StatusCode, row.code)
		}
		if row.code == http.StatusOK && (len(body) != media.WAVHead+2*4*media.RecordRate || resp.Header.Get("Content-Type") != "audio/wav") {
			t.Errorf("%q hears %d bytes of %s", row.who, len(body), resp.Header.Get("Content-Type"))
		}
	}
	r.want("history", strings.Join(r.history(), ", "), "kept by alice, heard by alice, heard by boss, heard by admin")
	resp, _ := r.ask(http.MethodGet, "boss", strings.Replace(path, "A", "B", 1), nil, nil)
	r.want("no such recording", resp.StatusCode, http.StatusNotFound)
}

func TestADayIsListedToWhoMayHearIt(t *testing.T) {
	r := newRoom(t)
	r.policy.Hear = true
	data := sealedFor(t, r.key, recordingID)
	r.put("alice", recordingID, data, 0, len(data))
	for path, want := range map[string]map[string]int{
		"?day=2026-11-22":               {"boss": 1, "staff": 1, "alice": 1, "bob": 0},
		"?day=2026-11-22&account=alice": {"boss": 1},
		"?day=2026-11-22&account=bob":   {"boss": 0},
		"?day=2026-11-21":               {"boss": 0},
	} {
		for who, n := range want {
			var rows []vault.Row
			resp, body := r.ask(http.MethodGet, who, "/api/v1/recordings"+path, nil, nil)
			if err := json.Unmarshal(body, &rows); err != nil || len(rows) != n {
				t.Errorf("%s sees %d at %s (%s): %v", who, len(rows), path, resp.Status, err)
			}
			if n > 0 && (rows[0].ID != recordingID || rows[0].Peer != "0312345678" || rows[0].Account != "alice") {
				t.Errorf("%+v", rows[0])
			}
		}
	}
	resp, _ := r.ask(http.MethodGet, "boss", "/api/v1/recordings?day=../..", nil, nil)
	r.want("no day", resp.StatusCode, http.StatusBadRequest)
	resp, _ = r.ask(http.MethodGet, "", "/api/v1/recordings?day=2026-11-22", nil, nil)
	r.want("nobody", resp.StatusCode, http.StatusUnauthorized)
}
