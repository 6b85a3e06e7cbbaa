package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/adrg/xdg"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// updateKey is the public half of the key that signs releases: 32 bytes in base64, set with -ldflags "-X main.updateKey=…". A phone
// built without takes no update.
var updateKey string

// updates fetches newer versions of this phone and shows the verified installer to the person (PRODUCT B); it implements updater.
type updates struct {
	version string // ours
	system  string // ours: GOOS/GOARCH
	key     ed25519.PublicKey
	folder  func() string // of this person's downloads
	reveal  func(file string) error
	agent   interface {
		Post(agent.Event)
		Watch() (<-chan wire.Snapshot, func())
	}
	client *http.Client
	log    *slog.Logger

	mu      sync.Mutex
	release wire.Release
	now     *wire.Update
	stop    context.CancelFunc // of the download under way
}

// newUpdates is for the phone of that agent; reveal opens the folder of a file.
func newUpdates(a *agent.Agent, reveal func(file string) error, log *slog.Logger) *updates {
	u := &updates{version: wire.Version, system: runtime.GOOS + "/" + runtime.GOARCH, folder: downloads, reveal: reveal, agent: a,
		client: &http.Client{CheckRedirect: sameHost}, log: log, stop: func() {}}
	if key, err := base64.StdEncoding.DecodeString(updateKey); err == nil && len(key) == ed25519.PublicKeySize {
		u.key = key
	}
	return u
}

// sameHost follows a redirect to the same host by https only.
func sameHost(req *http.Request, via []*http.Request) error {
	if first := via[0].URL; req.URL.Scheme != "https" || req.URL.Host != first.Host || len(via) > 5 {
		return fmt.Errorf("%s leads elsewhere: %s://%s", first.Host, req.URL.Scheme, req.URL.Host)
	}
	return nil
}

// Latest implements updater: it tells of a version that is newer than ours.
func (u *updates) Latest(_ context.Context, newest wire.Release) {
	u.mu.Lock()
	known := u.now != nil && u.release.Version == newest.Version
	u.release = newest
	u.mu.Unlock()
	switch {
	case !newer(newest.Version, u.version):
		u.tell(nil)
	case !known: // else what became of it so far stays
		u.tell(u.state(wire.UpdateOffered))
	}
}

// state is the update in that state; a notice that is not ordered otherwise is that of our own generation.
func (u *updates) state(state string) *wire.Update {
	u.mu.Lock()
	defer u.mu.Unlock()
	style := u.release.Notice
	if style == "" {
		style = wire.NoticeGet
	}
	return &wire.Update{Version: u.release.Version, Notes: u.release.Notes, Style: style, State: state}
}

func (u *updates) tell(now *wire.Update) {
	u.mu.Lock()
	u.now = now
	u.mu.Unlock()
	u.agent.Post(agent.Updated{Update: now})
}

// Stop implements updater. What is there is kept.
func (u *updates) Stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stop()
}

// Get implements updater: it downloads, verifies and shows. It may take long; while a call is up it waits.
func (u *updates) Get(ctx context.Context) {
	run, stop := context.WithCancel(ctx)
	defer stop()
	u.mu.Lock()
	u.stop = stop
	release := u.release
	u.mu.Unlock()
	if release.Version == "" {
		return
	}
	load := u.state(wire.UpdateLoading)
	u.tell(load)
	d, err := u.plan(release)
	if err == nil {
		d.tell = func(done, size int64) {
			next := *load
			next.Done, next.Size = done, size
			u.tell(&next)
		}
		err = u.unhurried(run, d)
	}
	switch {
	case ctx.Err() != nil: // the phone ends
	case errors.Is(err, context.Canceled):
		u.tell(u.state(wire.UpdateOffered))
	case err != nil:
		u.fail(d, err)
	default:
		ready := u.state(wire.UpdateReady)
		ready.Folder = filepath.Dir(d.file)
		u.tell(ready)
		if err := u.reveal(d.file); err != nil {
			u.log.Warn("the folder of the update does not open", "err", err)
		}
	}
}

// fail tells why in words, and everything else to copy.
func (u *updates) fail(d *download, err error) {
	u.log.Warn("update", "err", err)
	failed := u.state(wire.UpdateFailed)
	var words wire.Problem
	if !errors.As(err, &words) {
		words = wire.Problem{Code: wire.ProblemUpdateNetwork, Holes: map[string]string{"reason": reason(err)}}
	}
	words.Code = inWordsOf(u.system, words.Code)
	failed.Problem = &words
	failed.Details = fmt.Sprintf("softphone %s → %s, %s\n%v", u.version, failed.Version, u.system, err)
	if d != nil {
		failed.Details = fmt.Sprintf("%s\n%s\n%s", failed.Details, d.url, d.file)
	}
	u.tell(failed)
}

// inWordsOf is the code whose text says what can be done about it on that system (PRODUCT B4), where that is not the same everywhere.
func inWordsOf(system, code string) string {
	goos, _, _ := strings.Cut(system, "/")
	switch code {
	case wire.ProblemUpdateDenied, wire.ProblemUpdateBlocked, wire.ProblemUpdateDisk, wire.ProblemUpdateSpace:
		if goos == "windows" || goos == "darwin" || goos == "linux" {
			return code + "." + goos
		}
	}
	return code
}

// plan is the download of our system's file. What is said about it must be signed, or not a byte is fetched.
func (u *updates) plan(r wire.Release) (*download, error) {
	switch {
	case !newer(r.Version, u.version):
		return nil, wire.Problem{Code: wire.ProblemUpdateOld, Holes: map[string]string{"version": r.Version}}
	case r.Files[u.system] == "":
		return nil, wire.Problem{Code: wire.ProblemUpdateNone, Holes: map[string]string{"system": u.system}}
	}
	from, err := url.Parse(r.Files[u.system])
	if err != nil || from.Scheme != "https" || from.Host == "" {
		return nil, errors.New("the center's address of the file is not https")
	}
	sum, err := hex.DecodeString(r.Hashes[u.system])
	signature, unsigned := base64.StdEncoding.DecodeString(r.Signs[u.system])
	said := fmt.Sprintf("zaseki %s %s %x\n", r.Version, u.system, sum)
	switch {
	case len(u.key) == 0:
		return nil, forged("this phone was built without the key that signs releases")
	case err != nil || len(sum) != sha256.Size:
		return nil, forged("the center gives no SHA-256 of the file")
	case unsigned != nil || !ed25519.Verify(u.key, []byte(said), signature):
		return nil, forged("the release is not signed by whoever made this phone")
	}
	name := "zaseki-" + r.Version + "-" + strings.ReplaceAll(u.system, "/", "-") + kindOf(from.Path)
	return &download{client: u.client, url: from.String(), sum: sum, file: filepath.Join(u.folder(), name)}, nil
}

func forged(why string) error {
	return fmt.Errorf("%s: %w", why, wire.Problem{Code: wire.ProblemUpdateForged})
}

// kindOf is the file's ending, if it is one of an installer: the name of the file is never the server's.
func kindOf(from string) string {
	for _, kind := range []string{".exe", ".msi", ".deb", ".rpm", ".AppImage", ".dmg", ".pkg", ".zip", ".tar.gz"} {
		if strings.EqualFold(kind, path.Ext(from)) || strings.HasSuffix(from, kind) {
			return kind
		}
	}
	return ""
}

// errInCall ends an attempt because a call began.
var errInCall = errors.New("a call began")

// unhurried downloads while there is no call, and returns when the file is verified and no call is up. The voice needs the network, and
// nothing may come up over a call.
func (u *updates) unhurried(ctx context.Context, d *download) error {
	snaps, unwatch := u.agent.Watch()
	defer unwatch()
	for up := true; ; { // until a snapshot says that no call is up
		if up {
			if err := calm(ctx, snaps); err != nil {
				return err
			}
		}
		try, cancel := context.WithCancelCause(ctx)
		done := make(chan error, 1)
		go func() { done <- d.run(try) }()
		err, busy := error(nil), false
		busy, up, err = undisturbed(done, snaps, cancel)
		cancel(nil)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case busy && errors.Is(context.Cause(try), errInCall) && err != nil:
			continue
		case up:
			return calm(ctx, snaps)
		}
		return err
	}
}

// calm waits until there is no call.
func calm(ctx context.Context, snaps <-chan wire.Snapshot) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s, ok := <-snaps:
			if !ok || len(s.Calls) == 0 {
				return ctx.Err()
			}
		}
	}
}

// undisturbed waits for the attempt, and ends it when a call begins. Up says that the call is not over: one may be before the attempt is.
func undisturbed(done <-chan error, snaps <-chan wire.Snapshot, cancel context.CancelCauseFunc) (busy, up bool, err error) {
	for {
		select {
		case err := <-done:
			return busy, up, err
		case s, ok := <-snaps:
			if !ok {
				snaps, up = nil, false
				continue
			}
			if up = len(s.Calls) > 0; up && !busy {
				busy = true
				cancel(errInCall)
			}
		}
	}
}

// reveal opens the folder of a file, where anything may be opened.
func (o *opener) reveal(file string) error {
	if o.off {
		o.log.Debug("no folder is opened: -no-browser")
		return nil
	}
	return reveal(file)
}

// downloads is where the system keeps what this person downloads.
func downloads() string {
	if xdg.UserDirs.Download != "" {
		return xdg.UserDirs.Download
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return os.TempDir()
	}
	return filepath.Join(home, "Downloads")
}
