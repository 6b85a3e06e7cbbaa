package stack

import (
	"bytes"
	"io"
)

// encode is a message as it goes out, in a buffer to be recycled.
func (s *Stack) encode(m interface{ StringWrite(io.StringWriter) }) *bytes.Buffer {
	b, ok := s.buffers.Get().(*bytes.Buffer)
	if !ok {
		b = new(bytes.Buffer)
	}
	b.Reset()
	m.StringWrite(b)
	return b
}

func (s *Stack) recycle(b *bytes.Buffer) {
	if b.Cap() <= 16<<10 { // a rare large one is not worth keeping
		s.buffers.Put(b)
	}
}
