package cmd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/static"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// updateDay is a center that offers a newer phone, a phone that was built with the key of this test, and the place where the installer
// lies. The phone has a view of the file system of its own, so that its folder of downloads can be given every fault.
type updateDay struct {
	*day
	handle   *handle // a page without a browser, which reads the snapshots
	japanese *stage.Page
	keys     ed25519.PrivateKey
	site     *httptest.Server
	goods    []byte
	folder   string // of downloads
	opened   string // what was opened, a line each

	mu    sync.Mutex
	asked []string // Range of each request
	serve func(w http.ResponseWriter, r *http.Request) (done bool)
}

func newUpdateDay(t *testing.T) *updateDay {
	need(t, "chromium", "unshare", "nsenter", "mount")
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root may mount")
		}
		t.Skip("only root may mount")
	}
	d := &updateDay{day: &day{T: t, dir: t.TempDir()}, goods: make([]byte, 1<<20)}
	d.customerSays = make([]int16, 8000)
	_, _ = rand.Read(d.goods)
	d.folder, d.opened = filepath.Join(d.dir, "Downloads"), filepath.Join(d.dir, "opened")
	d.must(os.Mkdir(d.folder, 0o700))
	public, private, err := ed25519.GenerateKey(nil)
	d.must(err)
	d.keys = private
	d.site = httptest.NewTLSServer(http.HandlerFunc(d.answer))
	t.Cleanup(d.site.Close)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build(t, d.dir, "center")
	floor, err := stage.Floor(d.dir, nil)
	d.must(err)
	d.center, err = stage.StartCenter(ctx, filepath.Join(d.dir, "center"), d.dir, floor)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })
	d.offer(d.release("9.1.0", d.keys))
	d.start(ctx, public)
	d.handle = openHandle(t, d.phone.String("panel"))
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), "")
	d.must(err)
	t.Cleanup(d.browser.Close)
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
	d.must(err)
	d.japanese, err = d.browser.Open(stage.Address(d.phone.String("panel"), "", "ja"), stage.View{})
	d.must(err)
	return d
}

// start builds the phone with that key and starts it; what it opens, it tells a file.
func (d *updateDay) start(ctx context.Context, key ed25519.PublicKey) {
	d.Helper()
	bin := filepath.Join(d.dir, "bin")
	d.must(os.Mkdir(bin, 0o700))
	d.must(os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >>'"+d.opened+"'\n"), 0o700))
	phone := filepath.Join(bin, "softphone")
	link := exec.CommandContext(ctx, "go", "build", "-ldflags", "-X main.updateKey="+base64.StdEncoding.EncodeToString(key), "-o", phone, "./softphone")
	if out, err := link.CombinedOutput(); err != nil {
		d.Fatalf("build: %v\n%s", err, out)
	}
	trusted := filepath.Join(d.dir, "site.pem")
	d.must(os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.site.Certificate().Raw}), 0o600))
	var err error
	d.phone, err = stage.Start(ctx, "unshare", []string{"DBUS_SESSION_BUS_ADDRESS=", "SSL_CERT_FILE=" + trusted, "XDG_DOWNLOAD_DIR=" + d.folder,
		"PATH=" + bin + ":" + os.Getenv("PATH")}, "--mount", phone, "-config", filepath.Join(d.dir, "phone"), "-panel", "127.0.0.1:0", "-no-tray",
		"-center", d.center.String("http"), "-lang", "en")
	d.must(err)
	d.Cleanup(func() { d.phone.Stop() })
}

// release is that version of the goods, signed with that key.
func (d *updateDay) release(version string, key ed25519.PrivateKey) wire.Release {
	const system = "linux/amd64"
	sum := sha256.Sum256(d.goods)
	said := fmt.Sprintf("zaseki %s %s %x\n", version, system, sum)
	return wire.Release{Version: version, Files: map[string]string{system: d.site.URL + "/zaseki.deb"},
		Hashes: map[string]string{system: hex.EncodeToString(sum[:])},
		Signs:  map[string]string{system: base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(said)))}}
}

// offer has the center tell of that release from the next sign-in.
func (d *updateDay) offer(r wire.Release) {
	d.Helper()
	data, err := os.ReadFile(filepath.Join(d.dir, "floor.json"))
	d.must(err)
	var floor map[string]any
	d.must(json.Unmarshal(data, &floor))
	floor["site"].(map[string]any)["latest"] = r
	data, err = json.Marshal(floor)
	d.must(err)
	file := filepath.Join(d.dir, "offer.json")
	d.must(os.WriteFile(file, data, 0o600))
	if out, err := exec.Command(filepath.Join(d.dir, "center"), "import", "-data", filepath.Join(d.dir, "data"), file).CombinedOutput(); err != nil {
		d.Fatalf("import: %v\n%s", err, out)
	}
}

func (d *updateDay) answer(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.asked = append(d.asked, r.Header.Get("Range"))
	serve := d.serve
	d.mu.Unlock()
	if serve != nil && serve(w, r) {
		return
	}
	w.Header().Set("ETag", `"one"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.goods))
}

// serves says how the next requests are answered; nil: as they should be.
func (d *updateDay) serves(how func(w http.ResponseWriter, r *http.Request) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serve, d.asked = how, nil
}

func (d *updateDay) requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// half sends the first half of the goods.
func (d *updateDay) half(w http.ResponseWriter) {
	w.Header().Set("ETag", `"one"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(d.goods)))
	_, _ = w.Write(d.goods[:len(d.goods)/2])
	_ = http.NewResponseController(w).Flush()
}

// sees runs a command where the phone is, in its view of the file system.
func (d *updateDay) sees(command ...string) {
	d.Helper()
	args := append([]string{"--target", strconv.Itoa(d.phone.PID()), "--mount"}, command...)
	if out, err := exec.Command("nsenter", args...).CombinedOutput(); err != nil {
		d.Fatalf("%q: %v\n%s", command, err, out)
	}
}

// mark opens the dialog behind the mark on both pages; on the second it may be open still.
func (d *updateDay) mark(version string) {
	d.Helper()
	d.must(d.page.Click("button", "Version "+version+" is available"))
	_, err := stage.Eval[any](d.japanese, `document.querySelector(".update-mark").click()`)
	d.must(err)
}

// fails waits until both pages say why, and for the details behind it.
func (d *updateDay) fails(code, words string) {
	d.Helper()
	s := d.handle.until("failure "+code, func(s wire.Snapshot) bool {
		return s.Update != nil && s.Update.State == wire.UpdateFailed && s.Update.Problem != nil && s.Update.Problem.Code == code
	})
	d.must(d.page.Wait("StaticText", words+"…"))
	d.must(d.japanese.Wait("StaticText", static.Say("ja", "problem."+code, s.Update.Problem.Holes)))
	if !strings.Contains(s.Update.Details, "→ "+s.Update.Version+", linux/amd64") {
		d.Errorf("details %q", s.Update.Details)
	}
	if left, _ := filepath.Glob(filepath.Join(d.folder, "*.deb")); len(left) > 0 {
		d.Errorf("left after %s: %q", code, left)
	}
}

// folders are what was opened, without the phone's own pages.
func (d *updateDay) folders() []string {
	data, _ := os.ReadFile(d.opened)
	return slices.DeleteFunc(strings.Fields(string(data)), func(s string) bool { return strings.HasPrefix(s, "http") })
}

// TestAnUpdateFromTheMarkToTheFolder is PRODUCT B1 to B4 with the real center, phone and page: the mark, every cause of failure in words,
// resuming, no download and no folder in a call, and the verified file in its folder; then a release that somebody else has signed, and one
// that is older.
//
//ci:still
func TestAnUpdateFromTheMarkToTheFolder(t *testing.T) {
	d := newUpdateDay(t)
	d.signIn("agent1", "Available", "2")
	d.must(d.page.Wait("StaticText", "Line registered…"))
	d.mark("9.1.0")
	d.must(d.page.Wait("StaticText", "Version 9.1.0 of the phone is available. OK downloads its installer."))
	d.failures()
	if opened := d.folders(); len(opened) > 0 {
		t.Errorf("after failures these are open: %q", opened)
	}
	d.resumed()
	d.strangers()
	d.older()
}

// failures are those that can be mended: after each the same dialog tries again.
func (d *updateDay) failures() {
	d.Helper()
	part := filepath.Join(d.folder, "zaseki-9.1.0-linux-amd64.deb.part")
	rows := []struct {
		code, words string
		serve       func(w http.ResponseWriter, r *http.Request) bool
		before      []string // in the phone's view of the file system
		after       []string
	}{
		{code: wire.ProblemUpdateNetwork, words: "The download stopped: the server says 503 Service Unavailable. Try again;", serve: func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}},
		{code: wire.ProblemUpdateForged, words: "The file is not the one that was published, and was removed.", serve: func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("not what was signed"))
			return true
		}},
		{code: wire.ProblemUpdateDenied + ".linux", words: part[:len(part)-len(".part")] + ".etag could not be written: read-only file system. The folder belongs to somebody else, or",
			before: []string{"mount", "-t", "tmpfs", "-o", "ro", "none", d.folder}, after: []string{"umount", d.folder}},
		{code: wire.ProblemUpdateSpace + ".linux", words: "No space left on the file system, or your quota is used up: 1 MB are needed.",
			before: []string{"mount", "-t", "tmpfs", "-o", "size=256k", "none", d.folder}, after: []string{"umount", d.folder}},
		{code: wire.ProblemUpdateDisk + ".linux", words: "The disk could not be written or read: input/output error.", // writing there is one, always
			before: []string{"ln", "-s", "/proc/self/mem", part}, after: []string{"rm", part}},
	}
	for i, r := range rows {
		d.serves(r.serve)
		if r.before != nil {
			d.sees(r.before...)
		}
		d.must(d.page.Click("button", map[bool]string{true: "OK", false: "Try again"}[i == 0]))
		d.fails(r.code, r.words)
		if r.after != nil {
			d.sees(r.after...)
		}
	}
}

// resumed: the line is cut, then a call comes; the download goes on where it stopped, and nothing comes up over the call.
func (d *updateDay) resumed() {
	d.Helper()
	d.serves(func(w http.ResponseWriter, r *http.Request) bool {
		d.half(w)
		<-r.Context().Done() // the phone leaves
		return true
	})
	d.must(d.page.Click("button", "Try again"))
	d.handle.until("progress", func(s wire.Snapshot) bool {
		return s.Update.State == wire.UpdateLoading && s.Update.Done > 0 && s.Update.Size == int64(len(d.goods))
	})
	d.must(d.page.Wait("progressbar", "Download"))

	customer := d.customer()
	line, err := customer.Call(context.Background(), "2001")
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	desktop.Eventually(d.T, "the download is let go", func() bool { return len(d.requests()) == 1 })
	d.serves(func(w http.ResponseWriter, _ *http.Request) bool { // after the call: one more cut
		panic(http.ErrAbortHandler)
	})
	d.handle.post(wire.GetUpdate{})
	d.handle.until("refusal in the call", func(s wire.Snapshot) bool {
		return slices.ContainsFunc(s.Notices, func(n wire.Notice) bool { return n.ID == wire.ProblemUpdateCall })
	})
	if asked := d.requests(); len(asked) > 0 {
		d.Errorf("in the call %s the phone asks for %q", line, asked)
	}
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Gone("button", "Hang up"))
	d.mark("9.1.0")
	d.fails(wire.ProblemUpdateNetwork, "The download stopped: ")

	d.serves(nil)
	d.must(d.page.Click("button", "Try again"))
	d.must(d.page.Wait("StaticText", "Version 9.1.0 is checked and lies in "+d.folder+"…"))
	if asked, want := d.requests(), fmt.Sprintf("bytes=%d-", len(d.goods)/2); !slices.Equal(asked, []string{want}) {
		d.Errorf("asked %q, want %q", asked, want)
	}
	data, err := os.ReadFile(filepath.Join(d.folder, "zaseki-9.1.0-linux-amd64.deb"))
	d.must(err)
	if !bytes.Equal(data, d.goods) {
		d.Error("the file is another one")
	}
	desktop.Eventually(d.T, "the folder", func() bool { return slices.Equal(d.folders(), []string{d.folder}) })
	if left, _ := filepath.Glob(filepath.Join(d.folder, "*")); len(left) != 1 {
		d.Errorf("left %q", left)
	}
	d.must(d.page.Click("button", "Open the folder"))
	desktop.Eventually(d.T, "the folder again", func() bool { return len(d.folders()) == 2 })
	d.must(d.page.Click("button", "Close"))
}

// again signs out and in, and so hears of that release.
func (d *updateDay) again(r wire.Release) {
	d.Helper()
	d.offer(r)
	d.handle.post(wire.SignOut{})
	d.handle.until("sign-out", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseOut })
	d.handle.signIn("agent1", stage.Password)
}

// strangers: not a byte is fetched of what somebody else has signed.
func (d *updateDay) strangers() {
	d.Helper()
	_, stranger, err := ed25519.GenerateKey(nil)
	d.must(err)
	d.must(os.Remove(filepath.Join(d.folder, "zaseki-9.1.0-linux-amd64.deb")))
	d.serves(nil)
	d.again(d.release("9.2.0", stranger))
	d.mark("9.2.0")
	d.must(d.page.Click("button", "OK"))
	d.fails(wire.ProblemUpdateForged, "The file is not the one that was published, and was removed.")
	if asked := d.requests(); len(asked) > 0 {
		d.Errorf("the phone asks for %q", asked)
	}
	d.must(d.page.Click("button", "Close"))
}

// older: what is not newer has no mark, and nothing comes of asking for it all the same.
func (d *updateDay) older() {
	d.Helper()
	d.again(d.release("0.0.1", d.keys))
	d.must(d.page.Gone("button", "Version 9.2.0 is available"))
	d.handle.post(wire.GetUpdate{})
	d.must(d.page.Click("button", "Settings"))
	d.must(d.page.Select("Chapters of the settings", "Update"))
	d.must(d.page.Wait("StaticText", "No newer version is known."))
	if d.page.Has("button", "Version 0.0.1 is available") {
		d.Error("an older version has a mark")
	}
	if asked := d.requests(); len(asked) > 0 {
		d.Errorf("the phone asks for %q", asked)
	}
}
