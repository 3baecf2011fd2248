package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxCodings is how many codings a body may have, one around the other.
const maxCodings = 4

// Codings are the names of the codings that Decode undoes, as the Content-Encoding header has them.
func Codings() []string {
	return []string{"gzip", "zstd", "zlib", "deflate", "snappy", "x-snappy-framed", "lz4"}
}

// UnsupportedError says that a body has a coding that is not taken.
type UnsupportedError struct {
	Coding    string
	Supported []string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the content coding %.50q is not supported: send the body as it is, or coded as one of %s", e.Coding, strings.Join(e.Supported, ", "))
}

// ParseCodings returns the codings of the values of a Content-Encoding header, in the order in
// which they were applied. Names are in any case; x-gzip is gzip; identity and an empty name are
// none. Error: *UnsupportedError.
func ParseCodings(values, supported []string) ([]string, error) {
	var codings []string
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			switch name {
			case "", "identity":
				continue
			case "x-gzip":
				name = "gzip"
			}
			if !slices.Contains(supported, name) {
				return nil, &UnsupportedError{name, supported}
			}
			if codings = append(codings, name); len(codings) > maxCodings {
				return nil, &UnsupportedError{value, supported}
			}
		}
	}
	return codings, nil
}

// Decode undoes codings, the last first. Errors: those of Read, and what the decoders say of bytes
// that they cannot read.
func (d *Body) Decode(codings []string) error {
	for _, name := range slices.Backward(codings) {
		if err := d.decode(name); err != nil {
			return err
		}
		d.free(&d.content)
		d.content, d.decoded = d.decoded, buffer{}
	}
	return nil
}

func (d *Body) decode(coding string) error {
	from := bytes.NewReader(d.content.bytes)
	switch coding {
	case "gzip":
		return through(d, &gzipReaders, flateMemory, from, (*gzip.Reader).Reset)
	case "zlib", "deflate":
		return through(d, &zlibReaders, flateMemory, from, func(r io.ReadCloser, from io.Reader) error {
			return r.(zlib.Resetter).Reset(from, nil)
		})
	case "zstd":
		return d.zstd(from)
	case "lz4":
		return through(d, &lz4Readers, lz4Memory, from, func(r *lz4.Reader, from io.Reader) error { r.Reset(from); return nil })
	case "snappy", "x-snappy-framed":
		return d.snappy(from)
	}
	return &UnsupportedError{coding, Codings()}
}

// What decoders take in bytes, beside what they read and write.
const (
	flateMemory  = 64 << 10
	lz4Memory    = 8 << 20 // two blocks of the largest size
	snappyMemory = 192 << 10
)

var (
	gzipReaders   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	lz4Readers    = sync.Pool{New: func() any { return lz4.NewReader(nil) }}
	snappyReaders = sync.Pool{New: func() any { return snappy.NewReader(nil) }}
	zlibReaders   = sync.Pool{New: newZlib}
)

// through decodes with a reader of a pool, whose memory is reserved meanwhile.
func through[R io.Reader](d *Body, pool *sync.Pool, memory int64, from io.Reader, reset func(R, io.Reader) error) error {
	if err := d.Memory.Grow(memory); err != nil {
		return err
	}
	defer func() { _ = d.Memory.Grow(-memory) }() // fewer always succeeds
	r := pool.Get().(R)
	defer pool.Put(r)
	if err := reset(r, from); err != nil {
		return err
	}
	return d.fill(&d.decoded, r, -1)
}

// newZlib makes a reader, for which zlib needs something to read.
func newZlib() any {
	const empty = "\x78\x9c\x03\x00\x00\x00\x00\x01"
	r, err := zlib.NewReader(strings.NewReader(empty))
	if err != nil {
		panic(err) // the text is constant
	}
	return r
}

// Windows of zstd decoders: how far a body may refer back, which the decoder keeps in memory.
// Larger ones than the second are refused: RFC 8878 recommends to support 8 MiB.
const (
	smallWindow = 256 << 10
	largeWindow = 8 << 20
)

var zstdReaders = [2]sync.Pool{{New: newZstd(smallWindow)}, {New: newZstd(largeWindow)}}

func newZstd(window uint64) func() any {
	return func() any {
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			panic(err) // the options are constant
		}
		return r
	}
}

// zstd tries a decoder of little memory first, which is enough for bodies of usual size.
func (d *Body) zstd(from *bytes.Reader) (err error) {
	for i, window := range []int64{smallWindow, largeWindow} {
		from.Reset(d.content.bytes)
		d.free(&d.decoded)
		err = through(d, &zstdReaders[i], window+flateMemory, from, (*zstd.Decoder).Reset)
		if !errors.Is(err, zstd.ErrWindowSizeExceeded) && !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			break
		}
	}
	return err
}

// snappyHeader is how the framed format begins.
const snappyHeader = "\xff\x06\x00\x00sNaPpY"

// snappy decodes both formats under both names, since collectors have sent each under each.
func (d *Body) snappy(from *bytes.Reader) error {
	encoded := d.content.bytes
	if len(encoded) == 0 {
		return nil // how the framed format writes nothing
	}
	if bytes.HasPrefix(encoded, []byte(snappyHeader)) {
		return through(d, &snappyReaders, snappyMemory, from, func(r *snappy.Reader, from io.Reader) error { r.Reset(from); return nil })
	}
	size, err := snappy.DecodedLen(encoded)
	if err != nil {
		return err
	}
	if int64(size) > d.limit {
		return &TooLargeError{d.limit}
	}
	if err := d.enlarge(&d.decoded, int64(size)); err != nil {
		return err
	}
	d.decoded.bytes, err = snappy.Decode(d.decoded.bytes[:cap(d.decoded.bytes)], encoded)
	return err
}
