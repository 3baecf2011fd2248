// Package body reads the bodies of requests within a limit and within the memory budget of the process, and undoes their
// codings. What a body takes is reserved before it is allocated, and no earlier than its bytes arrive.
package body

import (
	"errors"
	"fmt"
	"io"

	"github.com/isbl/telemetry/internal/budget"
)

const (
	// firstBytes is the size of the first buffer where the size of a body is unknown or large.
	firstBytes = 64 << 10
	// keptBytes is the size up to which a buffer is used again.
	keptBytes = 1 << 20
	// minRead is the room that is left to find the end of a body.
	minRead = 512
)

// TooLargeError says that a body is larger than the limit, in its last or an earlier coding.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the body is larger than %d bytes, decompressed", e.Limit)
}

// Body is the body of one request. Reset makes it ready for the next one, which uses its memory again. It is not safe for
// concurrent use.
type Body struct {
	// Memory is what the request has of the budget. The body adds its buffers to it.
	Memory budget.Reservation

	limit   int64
	largest int64 // that the budget ever gives
	content buffer
	decoded buffer // where the next coding is decoded to
}

// buffer is memory that is counted in a reservation while it is in use.
type buffer struct{ bytes []byte }

// Reset begins with a new body of at most limit bytes, whose memory is of b.
func (d *Body) Reset(b *budget.Budget, limit int64) error {
	d.Memory.Release()
	d.Memory.Use(b)
	d.limit, d.largest = limit, b.Largest()
	for _, buf := range []*buffer{&d.content, &d.decoded} {
		if cap(buf.bytes) > keptBytes {
			buf.bytes = nil
		}
		buf.bytes = buf.bytes[:0]
	}
	return d.Memory.Grow(int64(cap(d.content.bytes) + cap(d.decoded.bytes)))
}

// Release gives the reserved memory back. The bytes of the body must not be used any more.
func (d *Body) Release() { d.Memory.Release() }

// Bytes returns the body. They are valid until the next Reset.
func (d *Body) Bytes() []byte { return d.content.bytes }

// Decoded replaces the reservation of the body's bytes by one of n bytes for what was made of them. The bytes stay valid,
// but are no longer counted: they are about to be forgotten.
func (d *Body) Decoded(n int64) error { return d.Memory.Resize(n) }

// Read reads all of from. size is how many bytes it has, or negative. Errors: those of from, *TooLargeError,
// budget.ErrFull and budget.ErrTooLarge.
func (d *Body) Read(from io.Reader, size int64) error {
	if size > d.limit {
		return &TooLargeError{d.limit}
	}
	if size > d.largest {
		return budget.ErrTooLarge
	}
	return d.fill(&d.content, from, size)
}

// fill appends what from has to an empty buffer.
func (d *Body) fill(buf *buffer, from io.Reader, size int64) error {
	most := d.limit + minRead
	if size >= 0 {
		most = size + minRead
	}
	for {
		if len(buf.bytes) == cap(buf.bytes) {
			if err := d.grow(buf, most); err != nil {
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

// grow doubles a buffer, to most bytes where that is less.
func (d *Body) grow(buf *buffer, most int64) error {
	old := int64(cap(buf.bytes))
	return d.resize(buf, min(max(2*old, firstBytes), max(most, old+minRead)))
}

func (d *Body) resize(buf *buffer, size int64) error {
	old := int64(cap(buf.bytes))
	if err := d.Memory.Grow(size); err != nil {
		return err
	}
	buf.bytes = append(make([]byte, 0, size), buf.bytes...)
	return d.Memory.Grow(-old)
}
