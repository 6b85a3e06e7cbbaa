package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zaseki/tray/agent"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

func TestWhichVersionIsNewer(t *testing.T) {
	inOrder := []string{"0.0.9", "0.1", "0.1.1-alpha", "0.1.1-alpha.1", "0.1.1-beta.2", "0.1.1-beta.11", "0.1.1-rc.1", "0.1.1", "0.2.0", "0.10.0", "1.0", "1.0.0.1", "10.0"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if newer(a, b) != (i > j) {
				t.Errorf("%s after %s: %v", a, b, newer(a, b))
			}
		}
	}
	if newer("1.0.0", "1.0") || newer("1.0", "1.0.0") || newer("1.0+b", "1.0+a") {
		t.Error("the same is newer than itself")
	}
	for _, none := range []string{"", "latest", "v2", "-1", "９"} {
		if newer(none, "0.1.0") {
			t.Errorf("%q is newer", none)
		}
	}
}

// shop is where installers come from, and a phone that wants one.
type shop struct {
	t     *testing.T
	site  *httptest.Server
	goods []byte
	tag   string
	keys  ed25519.PrivateKey
	dir   string
	*updates
	*witness

	mu    sync.Mutex
	asked []string // Range of each request
	serve func(w http.ResponseWriter, r *http.Request, n int) (done bool)
}

// witness stands for the agent: it sees what is told and shows what calls there are.
type witness struct {
	mu    sync.Mutex
	told  []wire.Update
	snaps chan wire.Snapshot
}

func (w *witness) Post(e agent.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u := e.(agent.Updated).Update; u != nil {
		w.told = append(w.told, *u)
	} else {
		w.told = append(w.told, wire.Update{})
	}
}

func (w *witness) Watch() (<-chan wire.Snapshot, func()) { return w.snaps, func() {} }

func (w *witness) last() wire.Update {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.told) == 0 {
		return wire.Update{}
	}
	return w.told[len(w.told)-1]
}

// show says which calls there are now.
func (w *witness) show(calls ...wire.Call) {
	select {
	case <-w.snaps:
	default:
	}
	w.snaps <- wire.Snapshot{Calls: calls}
}

func openShop(t *testing.T) *shop {
	s := &shop{t: t, goods: make([]byte, 1<<20), tag: `"one"`, dir: filepath.Join(t.TempDir(), "Downloads"), witness: &witness{snaps: make(chan wire.Snapshot, 1)}}
	_, _ = rand.Read(s.goods)
	s.site = httptest.NewTLSServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.site.Close)
	public, private, err := ed25519.GenerateKey(nil)
	desktop.Must(t, err)
	s.keys = private
	s.updates = newUpdates(nil, func(string) error { return nil }, quiet)
	s.folder = func() string { return s.dir }
	s.updates.agent, s.key, s.system = s.witness, public, "linux/amd64"
	s.client = s.site.Client()
	s.client.CheckRedirect = sameHost
	s.witness.show()
	return s
}

func (s *shop) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Header.Get("Range"))
	n := len(s.asked)
	s.mu.Unlock()
	if s.serve != nil && s.serve(w, r, n) {
		return
	}
	w.Header().Set("ETag", s.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.goods))
}

// half sends the first half and cuts the line.
func (s *shop) half(w http.ResponseWriter) {
	w.Header().Set("ETag", s.tag)
	w.Header().Set("Content-Length", fmt.Sprint(len(s.goods)))
	_, _ = w.Write(s.goods[:len(s.goods)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// release is the goods as the center tells of them.
func (s *shop) release() wire.Release {
	sum := sha256.Sum256(s.goods)
	said := fmt.Sprintf("zaseki 9.1.0 linux/amd64 %x\n", sum)
	return wire.Release{Version: "9.1.0", Files: map[string]string{"linux/amd64": s.site.URL + "/dl/../zaseki.deb"},
		Hashes: map[string]string{"linux/amd64": strings.ToUpper(hex.EncodeToString(sum[:]))},
		Signs:  map[string]string{"linux/amd64": base64.StdEncoding.EncodeToString(ed25519.Sign(s.keys, []byte(said)))}}
}

// get asks for it and waits for what comes of it.
func (s *shop) get(r wire.Release) wire.Update {
	s.Latest(s.t.Context(), r)
	s.Get(s.t.Context())
	return s.last()
}

func (s *shop) ranges() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// whole looks at the file.
func (s *shop) whole() {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "zaseki-9.1.0-linux-amd64.deb"))
	if err != nil || !bytes.Equal(data, s.goods) {
		s.t.Errorf("the file: %v, %d bytes", err, len(data))
	}
	left, _ := filepath.Glob(filepath.Join(s.dir, "*"))
	if len(left) != 1 {
		s.t.Errorf("left: %q", left)
	}
}

func TestAnUpdateIsDownloadedVerifiedAndShown(t *testing.T) {
	s := openShop(t)
	var shown []string
	s.reveal = func(file string) error { shown = append(shown, file); return nil }
	got := s.get(s.release())
	if got.State != wire.UpdateReady || got.Folder != s.dir || got.Style != wire.NoticeGet || got.Version != "9.1.0" {
		t.Errorf("%+v", got)
	}
	s.whole()
	s.witness.show()
	s.Get(t.Context()) // the folder again; it is verified again, not fetched
	if len(shown) != 2 || len(s.ranges()) != 1 {
		t.Errorf("shown %q, asked %q", shown, s.ranges())
	}
	progress := 0
	for _, u := range s.told {
		if u.State == wire.UpdateLoading && u.Size == int64(len(s.goods)) && u.Done > 0 {
			progress++
		}
	}
	if progress == 0 {
		t.Error("no progress was told")
	}
}

func TestTheNoticeOfAnUpdate(t *testing.T) {
	s := openShop(t)
	r := s.release()
	for notice, style := range map[string]string{"": wire.NoticeGet, "dialog": wire.NoticeDialog, "mark": wire.NoticeMark} {
		s.now = nil
		r.Notice = notice
		s.Latest(t.Context(), r)
		if got := s.last(); got.Style != style || got.State != wire.UpdateOffered {
			t.Errorf("%q: %+v", notice, got)
		}
	}
	n := len(s.told)
	s.Latest(t.Context(), r) // a second sign-in
	if len(s.told) != n {
		t.Error("told twice")
	}
	for _, old := range []string{wire.Version, "0.0.1", ""} {
		r.Version = old
		if s.Latest(t.Context(), r); s.last().State != "" {
			t.Errorf("%q is told", old)
		}
	}
}

func TestADownloadGoesOnWhereItStopped(t *testing.T) {
	s := openShop(t)
	s.serve = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 1 {
			s.half(w)
		}
		return false
	}
	got := s.get(s.release())
	if got.State != wire.UpdateFailed || got.Problem.Code != wire.ProblemUpdateNetwork || !strings.Contains(got.Details, "zaseki.deb") {
		t.Fatalf("cut in the middle: %+v", got)
	}
	s.witness.show()
	s.Get(t.Context())
	s.whole()
	if asked := s.ranges(); len(asked) != 2 || asked[0] != "" || asked[1] != fmt.Sprintf("bytes=%d-", len(s.goods)/2) {
		t.Errorf("asked %q", asked)
	}
}

func TestWhatLiesThereOfAnotherFileIsNotUsed(t *testing.T) {
	for name, change := range map[string]func(*shop){
		"the server has another version now": func(s *shop) { s.tag = `"two"`; _, _ = rand.Read(s.goods) },
		"somebody wrote into it": func(s *shop) {
			part := filepath.Join(s.dir, "zaseki-9.1.0-linux-amd64.deb.part")
			desktop.Must(s.t, os.WriteFile(part, bytes.Repeat([]byte("x"), 1000), 0o600))
		},
		"it is longer than the file": func(s *shop) {
			part := filepath.Join(s.dir, "zaseki-9.1.0-linux-amd64.deb.part")
			desktop.Must(s.t, os.WriteFile(part, make([]byte, 2<<20), 0o600))
		},
		"nobody knows of which version it is": func(s *shop) {
			desktop.Must(s.t, os.Remove(filepath.Join(s.dir, "zaseki-9.1.0-linux-amd64.deb.etag")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.serve = func(w http.ResponseWriter, _ *http.Request, n int) bool {
				if n == 1 {
					s.half(w)
				}
				return false
			}
			s.get(s.release())
			change(s)
			s.now = nil
			s.witness.show()
			if got := s.get(s.release()); got.State != wire.UpdateReady {
				t.Errorf("%+v", got)
			}
			s.whole()
		})
	}
}

// failing is a disk that takes a little and breaks then.
type failing struct {
	to   io.Writer
	left int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, &os.PathError{Op: "write", Path: "disk", Err: syscall.EIO}
	}
	return f.to.Write(p)
}

func TestABrokenDiskIsTold(t *testing.T) {
	s := openShop(t)
	d, err := s.plan(s.release())
	desktop.Must(t, err)
	d.tell = func(int64, int64) {}
	d.disk = func(f *os.File) io.Writer { return &failing{f, 200 << 10} }
	err = d.run(t.Context())
	s.fail(d, err)
	if got := s.last(); got.Problem.Code != wire.ProblemUpdateDisk+".linux" || !strings.Contains(got.Problem.Holes["reason"], "input/output error") && runtime.GOOS == "linux" {
		t.Errorf("%v: %+v %v", err, got, got.Problem)
	}
}

func TestADownloadWaitsForTheEndOfACall(t *testing.T) {
	s := openShop(t)
	var shown sync.Map
	s.reveal = func(file string) error { shown.Store("file", file); return nil }
	begun := make(chan struct{})
	s.serve = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("ETag", s.tag)
		w.Header().Set("Content-Length", fmt.Sprint(len(s.goods)))
		_, _ = w.Write(s.goods[:1000])
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-r.Context().Done() // the phone hangs up on us
		return true
	}
	s.Latest(t.Context(), s.release())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Get(t.Context())
	}()
	<-begun
	desktop.Eventually(t, "progress", func() bool { return s.last().Done == 1000 })
	s.witness.show(wire.Call{ID: "c1", Phase: wire.CallOffered})
	desktop.Eventually(t, "the snapshot is taken", func() bool { return len(s.witness.snaps) == 0 })
	s.witness.show(wire.Call{ID: "c1", Phase: wire.CallTalking})
	desktop.Eventually(t, "the next too", func() bool { return len(s.witness.snaps) == 0 })
	if n := len(s.ranges()); n != 1 {
		t.Errorf("%d requests in the call", n)
	}
	s.witness.show()
	<-done
	s.whole()
	if _, ok := shown.Load("file"); !ok || s.last().State != wire.UpdateReady {
		t.Errorf("after the call: %+v", s.last())
	}
	if asked := s.ranges(); asked[1] != "bytes=1000-" {
		t.Errorf("asked %q", asked)
	}
}

func TestADownloadThatIsStoppedIsKept(t *testing.T) {
	s := openShop(t)
	s.serve = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("ETag", s.tag)
		_, _ = w.Write(s.goods[:1000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}
	s.Latest(t.Context(), s.release())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Get(t.Context())
	}()
	desktop.Eventually(t, "progress", func() bool { return s.last().Done == 1000 })
	s.Stop()
	<-done
	if got := s.last(); got.State != wire.UpdateOffered {
		t.Errorf("%+v", got)
	}
	s.witness.show()
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	s.Get(ctx)
	s.whole()
	if asked := s.ranges(); asked[1] != "bytes=1000-" {
		t.Errorf("asked %q", asked)
	}
}
