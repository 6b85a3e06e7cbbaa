package ledger

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A backup is JSON, an object a line, compressed with zstd: a head, every event in its order, a foot. Older ones are
// compressed with gzip and have the events only.
type (
	// Line is an event in a backup.
	Line struct {
		Seq     Seq             `json:"seq"`
		Subject string          `json:"subject"`
		Op      string          `json:"op"`
		By      string          `json:"by"`
		Why     string          `json:"why,omitempty"`
		At      time.Time       `json:"at"`
		Data    json.RawMessage `json:"data"`
	}
	head struct {
		Backup int       `json:"backup"` // version of the form
		Seq    Seq       `json:"seq"`    // of the last event
		Made   time.Time `json:"made"`
	}
	foot struct {
		End    bool   `json:"end"`
		Count  uint64 `json:"count"`
		SHA256 string `json:"sha256"` // of all lines before
	}
)

const (
	backupForm = 1
	stampFile  = "BACKUP" // when the last backup was made
	maxLine    = 4 << 20
)

// Summary is what a backup holds.
type Summary struct {
	Seq  Seq       // of the last event; all from 1 to it are there
	Made time.Time // zero in old backups
	Sum  string    // tells backups apart
}

// Backup writes all events there are now. What comes while it writes is left out: it is the log at one sequence.
func (l *Ledger) Backup(ctx context.Context, w io.Writer) (Summary, error) {
	info, err := l.at.Load().stream.Info(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	s := Summary{Seq: Seq(info.State.LastSeq), Made: time.Now().UTC()}
	z, err := zstd.NewWriter(w)
	if err != nil {
		return s, fmt.Errorf("backup: %w", err)
	}
	sum := sha256.New()
	lines := json.NewEncoder(io.MultiWriter(z, sum))
	err = lines.Encode(head{backupForm, s.Seq, s.Made})
	if err == nil && s.Seq > 0 {
		err = l.copyTo(ctx, s.Seq, lines)
	}
	if err == nil {
		s.Sum = hex.EncodeToString(sum.Sum(nil))
		err = json.NewEncoder(z).Encode(foot{true, uint64(s.Seq), s.Sum})
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return s, fmt.Errorf("backup: %w", err)
	}
	l.stamp(s.Made)
	return s, nil
}

func (l *Ledger) copyTo(ctx context.Context, last Seq, out *json.Encoder) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	whole := false
	err := l.Follow(ctx, 0, func(e Event) {
		if failed != nil || whole {
			return
		}
		if failed = out.Encode(Line(e)); failed != nil || e.Seq >= last {
			whole = failed == nil
			cancel()
		}
	})
	if failed != nil || whole {
		return failed
	}
	return err
}

// stamp leaves word of a backup for LastBackup.
func (l *Ledger) stamp(made time.Time) {
	if l.cfg.Dir == "" {
		return
	}
	err := os.MkdirAll(l.cfg.Dir, 0o700)
	if err == nil {
		err = WriteFile(filepath.Join(l.cfg.Dir, stampFile), made.Format(time.RFC3339)+"\n")
	}
	if err != nil {
		l.log.Warn("the doctor will not know of this backup", "err", err)
	}
}

// LastBackup is when the log of a folder was backed up last; zero: never.
func LastBackup(dir string) (time.Time, error) {
	text, err := os.ReadFile(filepath.Join(dir, stampFile))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
}

// Read goes through a backup and tells its events in their order. It fails unless the backup is whole: every event from the first to the
// last, and what was written is what is read.
func Read(r io.Reader, tell func(Line) error) (Summary, error) {
	in := bufio.NewReader(r)
	magic, err := in.Peek(4)
	if err != nil {
		return Summary{}, fmt.Errorf("not a backup: %w", err)
	}
	b := &checker{tell: tell, sum: sha256.New()}
	if bytes.Equal(magic[:2], []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return Summary{}, fmt.Errorf("not a backup: %w", err)
		}
		b.old = true
		return b.read(z)
	}
	z, err := zstd.NewReader(in)
	if err != nil {
		return Summary{}, fmt.Errorf("not a backup: %w", err)
	}
	defer z.Close()
	return b.read(z)
}

// checker reads a backup line by line.
type checker struct {
	tell  func(Line) error
	sum   hash.Hash
	old   bool // gzip, without head and foot
	head  head
	last  Seq
	ended bool
}

func (b *checker) read(z io.Reader) (Summary, error) {
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if err := b.line(n, lines.Bytes()); err != nil {
			return Summary{}, fmt.Errorf("line %d: %w", n, err)
		}
	}
	switch err := lines.Err(); {
	case err != nil:
		return Summary{}, fmt.Errorf("only a part of a backup, up to event %d: %w", b.last, err)
	case !b.old && !b.ended:
		return Summary{}, fmt.Errorf("only a part of a backup: it breaks off after event %d", b.last)
	}
	return Summary{Seq: b.last, Made: b.head.Made, Sum: hex.EncodeToString(b.sum.Sum(nil))}, nil
}

func (b *checker) line(n int, text []byte) error {
	var end foot
	switch {
	case b.ended:
		return errors.New("something follows the end")
	case !b.old && n == 1:
		if err := json.Unmarshal(text, &b.head); err != nil || b.head.Backup == 0 {
			return errors.New("this is not a center's backup")
		}
		if b.head.Backup != backupForm {
			return fmt.Errorf("the backup was made by a newer center (form %d)", b.head.Backup)
		}
	case !b.old && json.Unmarshal(text, &end) == nil && end.End:
		b.ended = true
		if end.Count != uint64(b.last) || b.head.Seq != b.last || end.SHA256 != hex.EncodeToString(b.sum.Sum(nil)) {
			return errors.New("the backup is damaged: its checksum is another one")
		}
		return nil
	default:
		var e Line
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		if e.Seq != b.last+1 {
			return fmt.Errorf("after event %d comes %d: events are missing", b.last, e.Seq)
		}
		if _, _, ok := Split(e.Subject); !ok {
			return fmt.Errorf("event %d: subject %q", e.Seq, e.Subject)
		}
		b.last = e.Seq
		if err := b.tell(e); err != nil {
			return err
		}
	}
	b.sum.Write(text)
	b.sum.Write([]byte{'\n'})
	return nil
}
