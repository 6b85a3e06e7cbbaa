package vault

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/media/sealed"
	"zaseki/web/wire"
)

// maxRecording is the longest file in bytes: sixteen hours of G.711.
const maxRecording = 2 << 30

// bodyTime is how long a part may take to come in: a phone at home is slow.
const bodyTime = time.Minute

// The headers of a hand-over: where the part begins, and how long the whole is. The answer says how much the center has.
const (
	offsetHeader = "Upload-Offset"
	lengthHeader = "Upload-Length"
)

// Handler serves, under /api/v1/recordings:
//
//	HEAD /{id}  a phone asks how much the center has: 200 and Upload-Offset; 404 nothing; Upload-Length too: all of it
//	PUT  /{id}  a phone hands a part over, with Upload-Offset and Upload-Length: 204 more is wanted, from Upload-Offset on;
//	            201 it is whole, opens, and is on the disk; 200 it was before; 409 continue at Upload-Offset; 413 too long;
//	            422 it does not open; 507 the disk is full
//	GET  /{id}  the recording as a WAV file, for who may hear it; see hear
//	GET  /      a day's recordings (query: day=YYYY-MM-DD, account); see list
func (v *Vault) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("HEAD /api/v1/recordings/{id}", v.phone(v.ask))
	mux.HandleFunc("PUT /api/v1/recordings/{id}", v.phone(v.take))
	mux.HandleFunc("GET /api/v1/recordings/{id}", v.hear)
	mux.HandleFunc("GET /api/v1/recordings", v.list)
	return mux
}

// phone lets through any phone with a session: who was signed in when the call was recorded stands in the recording.
func (v *Vault) phone(do func(http.ResponseWriter, *http.Request, roster.Person)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := v.cfg.Phone(r)
		switch {
		case err != nil:
			say(w, http.StatusUnauthorized, wire.ProblemExpired)
		case !id.MatchString(r.PathValue("id")):
			say(w, http.StatusNotFound, wire.ProblemRecordNone)
		default:
			do(w, r, who)
		}
	}
}

func (v *Vault) ask(w http.ResponseWriter, r *http.Request, _ roster.Person) {
	size, whole, err := v.has(r.PathValue("id"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.WriteHeader(http.StatusNotFound)
	case err != nil:
		v.fail(w, r, err)
	default:
		setCount(w, offsetHeader, size)
		if whole {
			setCount(w, lengthHeader, size)
		}
	}
}

// has is how much of a recording there is.
func (v *Vault) has(name string) (size int64, whole bool, err error) {
	info, err := os.Stat(v.place(name))
	if err == nil {
		return info.Size(), true, nil
	}
	if info, err = os.Stat(v.part(name)); err == nil {
		return info.Size(), false, nil
	}
	return 0, false, err
}

func (v *Vault) take(w http.ResponseWriter, r *http.Request, who roster.Person) {
	name := r.PathValue("id")
	offset, err := strconv.ParseInt(r.Header.Get(offsetHeader), 10, 64)
	length, wrong := strconv.ParseInt(r.Header.Get(lengthHeader), 10, 64)
	switch {
	case err != nil || wrong != nil || offset < 0 || length <= 0 || offset > length:
		say(w, http.StatusBadRequest, wire.ProblemCenter)
		return
	case length > maxRecording:
		say(w, http.StatusRequestEntityTooLarge, wire.ProblemRecordDamaged)
		return
	case !v.claim(name):
		say(w, http.StatusServiceUnavailable, wire.ProblemCenter) // the same from elsewhere, or from a connection that died
		return
	}
	defer v.release(name)
	_ = http.NewResponseController(w).SetReadDeadline(v.cfg.Now().Add(bodyTime)) // a test's recorder has none
	have, whole, err := v.has(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.fail(w, r, err)
		return
	}
	if whole {
		w.WriteHeader(http.StatusOK)
		return
	}
	if have != offset {
		setCount(w, offsetHeader, have)
		w.WriteHeader(http.StatusConflict)
		return
	}
	if have, err = v.add(name, offset, length, r.Body); err != nil {
		v.fail(w, r, err)
		return
	}
	setCount(w, offsetHeader, have)
	if have < length {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := v.keep(r.Context(), name, who.Account); err != nil {
		v.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func (v *Vault) claim(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.busy[name] {
		return false
	}
	v.busy[name] = true
	return true
}

func (v *Vault) release(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.busy, name)
}

// errLong: the phone sent more than it said.
var errLong = errors.New("longer than announced")

// add appends to the part what the body has, and says how much there is now. A body that breaks off leaves what came of it.
func (v *Vault) add(name string, offset, length int64, body io.Reader) (have int64, err error) {
	f, err := os.OpenFile(v.part(name), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return offset, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(io.NewOffsetWriter(f, offset), io.LimitReader(body, length-offset+1))
	if offset+n > length {
		return offset, errors.Join(errLong, f.Truncate(offset))
	}
	if err != nil {
		return offset + n, err
	}
	if offset+n == length {
		err = f.Sync()
	}
	return offset + n, err
}

// keep opens a recording that is whole, block by block, and puts it where it belongs. One that does not open is not kept: the
// phone still has it.
func (v *Vault) keep(ctx context.Context, name, by string) error {
	part := v.part(name)
	info, size, err := v.check(ctx, part)
	if err == nil && info.ID != name {
		err = errors.Join(sealed.ErrDamaged, errors.New("it is another recording than it is called"))
	}
	if errors.Is(err, sealed.ErrDamaged) || errors.Is(err, sealed.ErrFormat) || errors.Is(err, sealed.ErrKey) {
		v.log.Error("recording refused", "recording", name, "account", by, "err", err)
		return errors.Join(err, os.Remove(part))
	}
	if err != nil {
		return err
	}
	to := v.place(name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := v.tell(ctx, Event{What: "kept", ID: name, Account: info.Account, Call: info.Call, Bytes: size}, by); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(to), filepath.Dir(filepath.Dir(to)), filepath.Dir(filepath.Dir(filepath.Dir(to))), v.dir} {
		if err := syncFolder(dir); err != nil {
			return err
		}
	}
	v.log.Info("recording kept", "recording", name, "account", info.Account, "call", info.Call, "bytes", size, "by", by)
	return nil
}

// check opens every block.
func (v *Vault) check(ctx context.Context, path string) (info sealed.Info, size int64, err error) {
	if err := v.turn(ctx); err != nil {
		return info, 0, err
	}
	defer func() { <-v.turns }()
	f, err := os.Open(path)
	if err != nil {
		return info, 0, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return info, 0, err
	}
	r, err := sealed.Open(f, v.cfg.Key)
	if err != nil {
		return info, 0, err
	}
	_, err = io.Copy(io.Discard, r)
	return r.Info(), stat.Size(), err
}

// turn waits until one more recording may be opened; whoever got it gives it back.
func (v *Vault) turn(ctx context.Context) error {
	select {
	case v.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func setCount(w http.ResponseWriter, header string, n int64) {
	w.Header().Set(header, strconv.FormatInt(n, 10))
}

// fail answers with what went wrong.
func (v *Vault) fail(w http.ResponseWriter, r *http.Request, err error) {
	var long *http.MaxBytesError
	switch {
	case errors.Is(err, sealed.ErrDamaged), errors.Is(err, sealed.ErrFormat), errors.Is(err, sealed.ErrKey), errors.Is(err, errLong):
		say(w, http.StatusUnprocessableEntity, wire.ProblemRecordDamaged)
	case errors.As(err, &long):
		say(w, http.StatusRequestEntityTooLarge, wire.ProblemCenter)
	case errors.Is(err, fs.ErrNotExist):
		say(w, http.StatusNotFound, wire.ProblemRecordNone)
	default:
		v.log.Error("recording", "recording", r.PathValue("id"), "err", err)
		code := http.StatusInternalServerError
		if errors.Is(err, syscall.ENOSPC) {
			code = http.StatusInsufficientStorage
		}
		say(w, code, wire.ProblemCenter)
	}
}
