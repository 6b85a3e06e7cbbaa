package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zaseki/web/wire"
)

const (
	updateMost  = 1 << 30                // bytes of an installer
	updateStall = 30 * time.Second       // without a byte the network is given up
	updateTell  = 250 * time.Millisecond // between two words about the progress
)

// download is one file on its way: beside its place as .part, with what its server calls that version of it (ETag) in .etag.
type download struct {
	client *http.Client
	url    string
	sum    []byte // SHA-256
	file   string
	tell   func(done, size int64)

	disk func(*os.File) io.Writer // nil: the file itself; tests break it
}

func (d *download) part() string { return d.file + ".part" }
func (d *download) etag() string { return d.file + ".etag" }

// run has the verified file lie in its place, going on with what is there. Its errors are Problems, but for those of the network.
func (d *download) run(ctx context.Context) error {
	if sum, _, err := sumOf(d.file); err == nil && bytes.Equal(sum.Sum(nil), d.sum) {
		return nil // from an earlier time
	}
	if err := os.MkdirAll(filepath.Dir(d.file), 0o755); err != nil {
		return diskProblem(err, d.file, 0)
	}
	for again := range 2 {
		resumed, err := d.fetch(ctx)
		if err != nil {
			return err
		}
		sum, _, err := sumOf(d.part())
		if err != nil {
			return diskProblem(err, d.part(), 0)
		}
		if bytes.Equal(sum.Sum(nil), d.sum) {
			break
		}
		if err := errors.Join(remove(d.part()), remove(d.etag())); err != nil {
			return diskProblem(err, d.part(), 0)
		}
		if !resumed || again > 0 { // what was there may have been of another file; once more from the beginning
			return forged(fmt.Sprintf("the file has SHA-256 %x, not %x", sum.Sum(nil), d.sum))
		}
	}
	if err := errors.Join(os.Rename(d.part(), d.file), remove(d.etag())); err != nil {
		return diskProblem(err, d.file, 0)
	}
	return nil
}

// fetch fills the part file. resumed: not all of it is from this time.
func (d *download) fetch(ctx context.Context) (resumed bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	have := d.have()
	res, err := d.ask(ctx, have)
	if err == nil && res.StatusCode == http.StatusRequestedRangeNotSatisfiable { // all is there, or it is of another file
		_ = res.Body.Close()
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
		if !strings.HasPrefix(res.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(have, 10)+"-") {
			return false, fmt.Errorf("the server sends %q, asked from byte %d", res.Header.Get("Content-Range"), have)
		}
	default:
		return false, fmt.Errorf("the server says %s", res.Status)
	}
	size := int64(0)
	if res.ContentLength > 0 {
		size = have + res.ContentLength
	}
	if size > updateMost {
		return false, fmt.Errorf("the file is too large: %d bytes", size)
	}
	stalled := time.AfterFunc(updateStall, func() { cancel(fmt.Errorf("nothing came for %v", updateStall)) })
	defer stalled.Stop()
	err = d.store(&watched{from: res.Body, seen: func() { stalled.Reset(updateStall) }}, res.Header.Get("ETag"), have, size)
	if cause := context.Cause(ctx); cause != nil { // also without an error: who hangs up may be told that this is all
		return have > 0, cause
	}
	return have > 0, err
}

// have is how many bytes lie in the part file; 0 without the name of their version, since they could be of any.
func (d *download) have() int64 {
	info, err := os.Stat(d.part())
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	if tag, err := os.ReadFile(d.etag()); err != nil || len(tag) == 0 {
		return 0
	}
	return info.Size()
}

// ask asks for what is missing (RFC 9110 §13.1.5 and §14.2).
func (d *download) ask(ctx context.Context, have int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Zaseki/"+wire.Version)
	req.Header.Set("Accept-Encoding", "identity") // sizes and ranges are those of the file
	if have > 0 {
		tag, err := os.ReadFile(d.etag())
		if err != nil {
			return nil, diskProblem(err, d.etag(), 0)
		}
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		req.Header.Set("If-Range", string(tag))
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	return res, nil
}

// store appends to the part file, or begins it anew.
func (d *download) store(from *watched, tag string, have, size int64) (err error) {
	mode := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if have == 0 {
		mode = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
		if strings.HasPrefix(tag, "W/") {
			tag = "" // weak: not to be resumed by (RFC 9110 §13.1.5)
		}
		if err := os.WriteFile(d.etag(), []byte(tag), 0o600); err != nil {
			return diskProblem(err, d.etag(), size)
		}
	}
	f, err := os.OpenFile(d.part(), mode, 0o600)
	if err != nil {
		return diskProblem(err, d.part(), size)
	}
	defer func() {
		if end := errors.Join(f.Sync(), f.Close()); err == nil && end != nil {
			err = diskProblem(end, d.part(), size)
		}
	}()
	var to io.Writer = f
	if d.disk != nil {
		to = d.disk(f)
	}
	buf, told := make([]byte, 64<<10), time.Time{}
	for have <= updateMost {
		n, readErr := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return diskProblem(err, d.part(), size)
			}
			have += int64(n)
			if time.Since(told) > updateTell {
				told = time.Now()
				d.tell(have, size)
			}
		}
		switch {
		case errors.Is(readErr, io.EOF) && (size == 0 || have == size):
			d.tell(have, size)
			return nil
		case readErr != nil:
			return readErr
		}
	}
	return fmt.Errorf("the file is too large: more than %d bytes", int64(updateMost))
}

// watched tells of every read that brought something.
type watched struct {
	from io.Reader
	seen func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if n > 0 {
		w.seen()
	}
	return n, err
}

// sumOf is the SHA-256 of a file, and its size.
func sumOf(file string) (hash.Hash, int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return sum, n, err
}

func remove(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// diskProblem tells apart what keeps a file from being written or read (PRODUCT B4). Size is the whole file's, 0 unknown.
func diskProblem(err error, file string, size int64) error {
	p := wire.Problem{Code: wire.ProblemUpdateDisk, Holes: map[string]string{"reason": reason(err)}}
	switch {
	case noSpace(err):
		needed := "?"
		if size > 0 {
			needed = fmt.Sprintf("%d MB", (size+1<<20-1)>>20)
		}
		p = wire.Problem{Code: wire.ProblemUpdateSpace, Holes: map[string]string{"size": needed}}
	case errors.Is(err, fs.ErrNotExist) || blocked(err):
		p = wire.Problem{Code: wire.ProblemUpdateBlocked, Holes: map[string]string{"file": file, "reason": reason(err)}}
	case errors.Is(err, fs.ErrPermission) || denied(err):
		p = wire.Problem{Code: wire.ProblemUpdateDenied, Holes: map[string]string{"file": file, "reason": reason(err)}}
	}
	return fmt.Errorf("%w: %w", err, p)
}
