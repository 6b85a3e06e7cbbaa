package sealed

import (
	"bufio"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Reader opens a file, block by block.
type Reader struct {
	in    *bufio.Reader
	open  *hpke.Recipient
	info  Info
	n     uint64
	buf   []byte
	rest  []byte // of the block that Read gives
	ended bool
	err   error
}

// Head is what can be read of a file without its key.
type Head struct {
	Key   [32]byte // name of the public key
	Began time.Time
	raw   [headSize]byte
}

// ReadHead reads it. Errors: ErrFormat.
func ReadHead(r io.Reader) (h Head, err error) {
	if _, err := io.ReadFull(r, h.raw[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: it is too short", ErrFormat)
		}
		return h, err
	}
	if string(h.raw[:len(magic)]) != magic {
		return h, ErrFormat
	}
	copy(h.Key[:], h.raw[len(magic):])
	h.Began = time.UnixMicro(int64(binary.BigEndian.Uint64(h.raw[infoSize-8:])))
	return h, nil
}

// Open reads head and info. Errors: ErrFormat, ErrKey, ErrDamaged.
func Open(r io.Reader, key *ecdh.PrivateKey) (*Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	h, err := ReadHead(in)
	if err != nil {
		return nil, err
	}
	if h.Key != KeyName(key.PublicKey().Bytes()) {
		return nil, ErrKey
	}
	private, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return nil, err
	}
	o := &Reader{in: in}
	if o.open, err = hpke.NewRecipient(h.raw[infoSize:], private, kdf(), aead(), h.raw[:infoSize]); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	kind, text, err := o.block()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: it ends before its first block does", ErrDamaged)
	case err != nil:
		return nil, err
	case kind != kindInfo || json.Unmarshal(text, &o.info) != nil:
		return nil, fmt.Errorf("%w: it does not say whose it is", ErrDamaged)
	}
	return o, nil
}

// Info says whose recording it is.
func (r *Reader) Info() Info { return r.info }

// Ended says, after io.EOF, that the recording was ended and not broken off.
func (r *Reader) Ended() bool { return r.ended }

// Next gives the next block of sound, good until the next call; io.EOF at the end, or where the recording was broken off.
func (r *Reader) Next() ([]byte, error) {
	for r.err == nil && !r.ended {
		kind, plain, err := r.block()
		if r.err = err; err != nil {
			break
		}
		switch kind {
		case kindSound:
			return plain, nil
		case kindEnd:
			r.ended = true
			if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
				r.err = fmt.Errorf("%w: something follows its end", ErrDamaged)
			}
		default: // of a later version
		}
	}
	if r.err == nil {
		return nil, io.EOF
	}
	return nil, r.err
}

// Read gives all blocks of sound one after the other.
func (r *Reader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 {
		var err error
		if r.rest, err = r.Next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// block opens the next block; io.EOF where none is whole any more.
func (r *Reader) block() (kind byte, plain []byte, err error) {
	var head [prefix]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, brokenOff(err)
	}
	if head == [prefix]byte{} {
		return 0, nil, io.EOF // a power cut may leave zeros where the disk was promised a block
	}
	length := binary.BigEndian.Uint32(head[:])
	if binary.BigEndian.Uint32(head[4:]) != sum(r.n, length) || length > MaxBlock || length <= tag {
		return 0, nil, fmt.Errorf("%w: the length of block %d is wrong", ErrDamaged, r.n)
	}
	if cap(r.buf) < int(length) {
		r.buf = make([]byte, length)
	}
	r.buf = r.buf[:length]
	if _, err := io.ReadFull(r.in, r.buf); err != nil {
		return 0, nil, brokenOff(err)
	}
	plain, err = r.open.Open(number(r.n), r.buf)
	if err != nil && [tag]byte(r.buf[length-tag:]) == [tag]byte{} {
		return 0, nil, io.EOF // the same
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: block %d does not open", ErrDamaged, r.n)
	}
	r.n++
	return plain[0], plain[1:], nil
}

func brokenOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}
