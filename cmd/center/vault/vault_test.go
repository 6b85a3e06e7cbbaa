package vault_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/center/vault"
	"zaseki/media/sealed"
	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const recordingID = "20261122-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// room is a vault with a real log behind it, and a door.
type room struct {
	t      *testing.T
	dir    string
	key    *ecdh.PrivateKey
	log    *ledger.Ledger
	vault  *vault.Vault
	server *httptest.Server
	policy roster.SitePolicy
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, dir: t.TempDir(), policy: roster.SitePolicy{Record: wire.RecordAsked, Days: 90}}
	var err error
	if r.log, err = ledger.Open(ledger.Config{Dir: filepath.Join(r.dir, "ledger")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.log.Close)
	r.open()
	t.Cleanup(func() { r.server.Close() })
	return r
}

// open is a start of the center; a test may do it again.
func (r *room) open() {
	r.t.Helper()
	var err error
	if r.key, err = vault.LoadKey(r.dir); err != nil {
		r.t.Fatal(err)
	}
	r.vault, err = vault.Open(vault.Config{Dir: r.dir, Key: r.key, Ledger: r.log, Policy: func(string) roster.SitePolicy { return r.policy },
		Phone: func(req *http.Request) (roster.Person, error) {
			account, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
			if !ok {
				return roster.Person{}, wire.Problem{Code: wire.ProblemExpired}
			}
			role := "agent"
			if account == "boss" {
				role = "supervisor"
			}
			return roster.Person{Account: account, Role: role}, nil
		},
		Staff: func(req *http.Request) (string, bool) { _, err := req.Cookie("staff"); return "admin", err == nil },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.server = httptest.NewServer(r.vault.Handler())
}

// sealedFor is the file of a call of alice, two seconds long.
func sealedFor(t *testing.T, key *ecdh.PrivateKey, id string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r")
	info := sealed.Info{ID: id, Call: "out1", Account: "alice", Peer: "0312345678", Began: time.Now()}
	w, err := sealed.Create(path, key.PublicKey().Bytes(), info)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := w.Write([]byte{1, 0, 0, 0, 5, 0x20, 0, 0, byte((i + 1) * 10000 >> 8), byte((i + 1) * 10000 & 255)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ask makes a request as that account; "" is nobody, "staff" a page of the center.
func (r *room) ask(method, who, path string, body io.Reader, head map[string]string) (*http.Response, []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.server.URL+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	switch who {
	case "":
	case "staff":
		req.AddCookie(&http.Cookie{Name: "staff", Value: "x"})
	default:
		req.Header.Set("Authorization", "Bearer "+who)
	}
	for k, v := range head {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return resp, data
}

// put hands a part over and says how that was answered.
func (r *room) put(who, id string, part []byte, offset, length int) (int, string) {
	r.t.Helper()
	resp, _ := r.ask(http.MethodPut, who, "/api/v1/recordings/"+id, bytes.NewReader(part),
		map[string]string{"Upload-Offset": strconv.Itoa(offset), "Upload-Length": strconv.Itoa(length)})
	return resp.StatusCode, resp.Header.Get("Upload-Offset")
}

func (r *room) want(what string, got, want any) {
	r.t.Helper()
	if got != want {
		r.t.Fatalf("%s: %v, not %v", what, got, want)
	}
}

// history is what the ledger has of recordings: what and by whom.
func (r *room) history() (all []string) {
	r.t.Helper()
	_, last, err := r.log.Load(r.t.Context(), vault.Kind)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	err = r.log.Follow(ctx, 0, func(e ledger.Event) {
		var said vault.Event
		if kind, _, _ := ledger.Split(e.Subject); kind == vault.Kind && json.Unmarshal(e.Data, &said) == nil {
			all = append(all, said.What+" by "+e.By)
		}
		if e.Seq >= last {
			cancel()
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		r.t.Fatal(err)
	}
	return all
}

func TestAHandOverGoesOnWhereItBrokeOff(t *testing.T) {
	r := newRoom(t)
	data := sealedFor(t, r.key, recordingID)
	path, size := "/api/v1/recordings/"+recordingID, len(data)
	resp, _ := r.ask(http.MethodHead, "alice", path, nil, nil)
	r.want("before", resp.StatusCode, http.StatusNotFound)

	code, has := r.put("alice", recordingID, data[:100], 0, size)
	r.want("the first part", code, http.StatusNoContent)
	r.want("the first part", has, "100")
	r.server.Close() // the center dies
	r.open()
	resp, _ = r.ask(http.MethodHead, "bob", path, nil, nil) // another account at the same phone
	r.want("after a restart", resp.Header.Get("Upload-Offset")+"/"+resp.Header.Get("Upload-Length"), "100/")
	code, has = r.put("bob", recordingID, data[200:300], 200, size)
	r.want("a part too far", strconv.Itoa(code)+" "+has, "409 100")
	code, has = r.put("bob", recordingID, data[:100], 0, size)
	r.want("a part again", strconv.Itoa(code)+" "+has, "409 100")
	code, _ = r.put("bob", recordingID, data[100:], 100, size)
	r.want("the rest", code, http.StatusCreated)
	code, _ = r.put("bob", recordingID, data[100:], 100, size)
	r.want("the rest again", code, http.StatusOK)
	resp, _ = r.ask(http.MethodHead, "bob", path, nil, nil)
	r.want("whole", resp.Header.Get("Upload-Offset")+"/"+resp.Header.Get("Upload-Length"), strconv.Itoa(size)+"/"+strconv.Itoa(size))

	kept, err := os.ReadFile(filepath.Join(r.dir, "recordings", "2026", "11", "22", recordingID+".rec"))
	if err != nil || !bytes.Equal(kept, data) {
		t.Fatalf("%d bytes of %d kept: %v", len(kept), size, err)
	}
	r.want("history", strings.Join(r.history(), ", "), "kept by bob")
}

func TestABodyThatBreaksOffIsKeptAsFarAsItCame(t *testing.T) {
	r := newRoom(t)
	data := sealedFor(t, r.key, recordingID)
	body, feed := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.server.URL+"/api/v1/recordings/"+recordingID, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(data))
	req.Header.Set("Authorization", "Bearer alice")
	req.Header.Set("Upload-Offset", "0")
	req.Header.Set("Upload-Length", strconv.Itoa(len(data)))
	go func() {
		_, _ = feed.Write(data[:150])
		_ = feed.CloseWithError(errors.New("the network is gone"))
	}()
	if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
		resp.Body.Close()
		t.Fatal(resp.Status)
	}
	end := time.Now().Add(5 * time.Second)
	has := ""
	for has != "150" && time.Now().Before(end) {
		resp, _ := r.ask(http.MethodHead, "alice", "/api/v1/recordings/"+recordingID, nil, nil)
		has = resp.Header.Get("Upload-Offset")
	}
	r.want("the center has", has, "150")
	code := http.StatusServiceUnavailable // while the broken request is not over
	for code == http.StatusServiceUnavailable && time.Now().Before(end) {
		code, _ = r.put("alice", recordingID, data[150:], 150, len(data))
	}
	r.want("the rest", code, http.StatusCreated)
}

func TestWhatDoesNotOpenIsRefused(t *testing.T) {
	r := newRoom(t)
	other, err := sealed.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	good := sealedFor(t, r.key, recordingID)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-60] ^= 4
	for name, data := range map[string][]byte{
		"sealed for another center": sealedFor(t, other, recordingID),
		"a changed bit":             flipped,
		"another recording":         sealedFor(t, r.key, strings.Replace(recordingID, "A", "B", 1)),
		"no recording":              []byte(strings.Repeat("RIFF", 100)),
		"more than an end":          append(bytes.Clone(good), "more"...),
	} {
		code, _ := r.put("alice", recordingID, data, 0, len(data))
		if code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, code)
		}
		if _, err := os.Stat(filepath.Join(r.dir, "recordings", "coming", recordingID+".part")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the part is still there", name)
		}
	}
	broken := good[:len(good)-30] // its end is missing: a phone was killed
	code, _ := r.put("alice", recordingID, broken, 0, len(broken))
	r.want("broken off", code, http.StatusCreated)
}

func TestWhatIsNoHandOverIsRefused(t *testing.T) {
	r := newRoom(t)
	for name, row := range map[string]struct {
		who, id        string
		offset, length int
		code           int
	}{
		"nobody":               {"", recordingID, 0, 4, http.StatusUnauthorized},
		"a way out":            {"alice", "..%2f..%2fcenter.key", 0, 4, http.StatusNotFound},
		"no such day":          {"alice", strings.Replace(recordingID, "1122", "1322", 1), 0, 4, http.StatusNotFound},
		"behind its own end":   {"alice", recordingID, 9, 4, http.StatusBadRequest},
		"before its beginning": {"alice", recordingID, -1, 4, http.StatusBadRequest},
		"days long":            {"alice", recordingID, 0, 3 << 30, http.StatusRequestEntityTooLarge},
		"longer than it says":  {"alice", recordingID, 0, 3, http.StatusUnprocessableEntity},
	} {
		if code, _ := r.put(row.who, row.id, []byte("data"), row.offset, row.length); code != row.code {
			t.Errorf("%s: %d, not %d", name, code, row.code)
		}
	}
	resp, _ := r.ask(http.MethodPut, "staff", "/api/v1/recordings/"+recordingID, strings.NewReader("data"), nil)
	r.want("a page", resp.StatusCode, http.StatusUnauthorized)
}

func TestRecordingsGoWhenTheirTimeIsOver(t *testing.T) {
	r := newRoom(t)
	data := sealedFor(t, r.key, recordingID)
	r.put("alice", recordingID, data, 0, len(data))
	r.put("alice", strings.Replace(recordingID, "A", "B", 1), data[:50], 0, len(data))
	file := filepath.Join(r.dir, "recordings", "2026", "11", "22", recordingID+".rec")
	part := filepath.Join(r.dir, "recordings", "coming", strings.Replace(recordingID, "A", "B", 1)+".part")
	aged := func(path string, days int) {
		t.Helper()
		at := time.Now().Add(-time.Duration(days)*24*time.Hour - time.Minute)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	r.vault.Sweep(t.Context())
	aged(file, 89)
	aged(part, 6)
	r.vault.Sweep(t.Context())
	r.want("in time", there(file) && there(part), true)
	aged(file, 90)
	aged(part, 7)
	r.policy.Days = 0
	r.vault.Sweep(t.Context())
	r.want("kept for ever", there(file), true)
	r.want("a part", there(part), false)
	r.policy.Days = 90
	r.vault.Sweep(t.Context())
	r.want("after 90 days", there(file), false)
	r.want("an empty year", there(filepath.Join(r.dir, "recordings", "2026")), false)
	r.want("history", strings.Join(r.history(), ", "), "kept by alice, deleted by system")
}

func TestTheDoctorSeesRecordingsWithoutTheirKey(t *testing.T) {
	r := newRoom(t)
	data := sealedFor(t, r.key, recordingID)
	r.put("alice", recordingID, data, 0, len(data))
	if n, size, err := vault.Size(r.dir); n != 1 || size != int64(len(data)) || err != nil {
		t.Fatal(n, size, err)
	}
	path := filepath.Join(r.dir, "recording.key")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := vault.Size(r.dir); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Fatal("others may read the key:", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := vault.Size(r.dir); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Fatal("no key:", err)
	}
	if _, err := vault.LoadKey(r.dir); err == nil {
		t.Fatal("another key beside recordings")
	}
	if n, _, err := vault.Size(t.TempDir()); n != 0 || err != nil {
		t.Fatal("a fresh center:", n, err)
	}
}

func TestTheKeyIsMadeOnceAndNeverReplaced(t *testing.T) {
	dir := t.TempDir()
	first, err := vault.LoadKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "recording.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	again, err := vault.LoadKey(dir)
	if err != nil || !again.Equal(first) {
		t.Fatal("another key after a restart", err)
	}
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.LoadKey(dir); err == nil {
		t.Fatal("a damaged key is taken or replaced")
	}
}
