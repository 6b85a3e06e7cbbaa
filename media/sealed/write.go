package sealed

import (
	"crypto/hpke"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Writer writes one file. What a call of Write has returned for is on the disk. It is used by one goroutine at a time.
type Writer struct {
	file   *os.File
	sender *hpke.Sender
	n      uint64
	size   int64 // of what is whole
	buf    []byte
	broken error
}

// Create makes the file, which must not be there yet, readable by this user alone, and writes head and info to it.
func Create(path string, public []byte, info Info) (*Writer, error) {
	key, err := kem().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("recording's key: %w", err)
	}
	name := KeyName(public)
	head := append([]byte(magic), name[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(info.Began.UnixMicro()))
	enc, sender, err := hpke.NewSender(key, kdf(), aead(), head)
	if err != nil {
		return nil, fmt.Errorf("seal recording: %w", err)
	}
	text, err := json.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("seal recording: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep recording: %w", err)
	}
	w := &Writer{file: file, sender: sender}
	w.buf = append(append(w.buf, head...), enc...)
	if err := w.add(kindInfo, text); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(path))
	}
	syncFolder(filepath.Dir(path))
	return w, nil
}

// syncFolder makes a new name last through a power cut, where the system knows that.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_, _ = d.Sync(), d.Close()
	}
}

// Write seals a block of sound. After an error, such as a full disk, the file ends with the block before, and nothing can be
// added any more.
func (w *Writer) Write(block []byte) error { return w.add(kindSound, block) }

// Close marks the end and closes the file. One that broke stays without an end mark.
func (w *Writer) Close() error {
	err := w.broken
	if err == nil {
		err = w.add(kindEnd, nil)
	}
	return errors.Join(err, w.file.Close())
}

func (w *Writer) add(kind byte, plain []byte) error {
	if w.broken != nil {
		return w.broken
	}
	if w.broken = w.put(kind, plain); w.broken != nil {
		w.broken = fmt.Errorf("keep recording: %w", w.broken)
		_ = w.file.Truncate(w.size) // half a block is ignored by whoever opens it
	}
	return w.broken
}

// put appends a block, in one write, and waits for the disk.
func (w *Writer) put(kind byte, plain []byte) error {
	if len(plain)+1+tag > MaxBlock {
		return fmt.Errorf("block of %d bytes", len(plain))
	}
	sealed, err := w.sender.Seal(number(w.n), append([]byte{kind}, plain...))
	if err != nil {
		return err
	}
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(sealed)))
	w.buf = binary.BigEndian.AppendUint32(w.buf, sum(w.n, uint32(len(sealed))))
	w.buf = append(w.buf, sealed...)
	if _, err = w.file.Write(w.buf); err != nil {
		return err
	}
	if err = w.file.Sync(); err != nil {
		return err
	}
	w.size += int64(len(w.buf))
	w.n++
	w.buf = w.buf[:0]
	return nil
}
