// Package body reads the bodies of requests within a limit and within the memory budget of the
// process, and undoes their codings. What a body takes is reserved before it is allocated, and no
// earlier than its bytes arrive.
package body

import (
	"errors"
	"fmt"
	"io"

	"github.com/isbl/telemetry/internal/budget"
)

const (
	// firstBytes is the size of the first buffer where the size of a body is unknown or larger.
	firstBytes = 64 << 10
	// growth is how much larger each further buffer is.
	growth = 4
	// minRead is the room that is left to find the end of a body.
	minRead = 512
)

// TooLargeError says that a body is larger than the limit, in its last or an earlier coding.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the body is larger than %d bytes, decompressed", e.Limit)
}

// Body is the body of one request. Open and Close bracket its use, after which it can be used
// again. It is not safe for concurrent use.
type Body struct {
	// Memory is what the request has of the budget. The buffers of the body are counted there.
	Memory budget.Reservation

	limit   int64
	largest int64 // that the budget ever gives
	content buffer
	decoded buffer // where the next coding is decoded to
}

// Open begins with a body of at most limit bytes, whose memory is of b.
func (d *Body) Open(b *budget.Budget, limit int64) {
	d.Memory.Use(b)
	d.limit, d.largest = limit, b.Largest()
}

// Close gives all memory back. The bytes of the body must not be used any more.
func (d *Body) Close() {
	d.content.free()
	d.decoded.free()
	d.Memory.Release()
}

// Bytes returns the body. They are valid until Drop or Close.
func (d *Body) Bytes() []byte { return d.content.bytes }

// Drop gives the memory of the body's bytes back. What else is reserved stays reserved.
func (d *Body) Drop() {
	d.free(&d.content)
	d.free(&d.decoded)
}

func (d *Body) free(buf *buffer) {
	size := buf.size()
	buf.free()
	_ = d.Memory.Grow(-size) // to less, which succeeds
}

// Read reads all of from. size is how many bytes it has, or negative. Errors: those of from,
// *TooLargeError, budget.ErrFull and budget.ErrTooLarge.
func (d *Body) Read(from io.Reader, size int64) error {
	if size > d.limit {
		return &TooLargeError{d.limit}
	}
	if size > d.largest {
		return budget.ErrTooLarge
	}
	return d.fill(&d.content, from, size)
}

// fill reads all of from into a buffer that has no memory yet.
func (d *Body) fill(buf *buffer, from io.Reader, size int64) error {
	most := d.limit + minRead
	if size >= 0 {
		most = size + minRead
	}
	for {
		if len(buf.bytes) == cap(buf.bytes) {
			if err := d.enlarge(buf, min(max(buf.size()*growth, firstBytes), most)); err != nil {
				return err
			}
		}
		n, err := from.Read(buf.bytes[len(buf.bytes):cap(buf.bytes)])
		buf.bytes = buf.bytes[:len(buf.bytes)+n]
		if int64(len(buf.bytes)) > d.limit {
			return &TooLargeError{d.limit}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// enlarge makes a buffer one of at least size bytes, and at least minRead larger than it is.
func (d *Body) enlarge(buf *buffer, size int64) error {
	size = sizeOf(max(size, buf.size()+minRead))
	if err := d.Memory.Grow(size); err != nil {
		return err
	}
	larger := newBuffer(size)
	larger.bytes = append(larger.bytes, buf.bytes...)
	d.free(buf)
	*buf = larger
	return nil
}
