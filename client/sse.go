package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxMessage is the largest message of a stream in bytes. It has room for the largest event that
// a store takes, written as JSON.
const maxMessage = 16 << 20

var errMessageTooLong = errors.New("the stream holds a message of more than 16 MiB")

// sseReader reads Server-Sent Events to the letter of the specification, with two differences.
// A message without data is returned, since its id is a place to go on from; and retry is left
// out, since the caller decides when to try again.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
//
// It returns a message as soon as its last byte is there, and takes time in proportion to the
// bytes, however they arrive. The parsers on offer do not do both: go-sse scans a message again
// from its start whenever a part of it arrives.
type sseReader struct {
	in      *bufio.Reader
	started bool // the byte order mark was looked for
	afterCR bool // the last line ended with CR, so a LF that follows belongs to it
	id      string
	line    []byte
}

// sseMessage is a message. id is the last one of the stream so far.
type sseMessage struct {
	name, id string
	data     []byte
}

// next returns the next message. Errors: errMessageTooLong, and those of the reader; a message
// that is cut off at the end of the stream is left out.
func (r *sseReader) next() (sseMessage, error) {
	var m sseMessage
	some := false // a field was there
	for {
		if err := r.readLine(); err != nil {
			return sseMessage{}, err
		}
		if len(r.line) == 0 {
			if !some {
				continue
			}
			m.id, m.data = r.id, bytes.TrimSuffix(m.data, []byte("\n"))
			return m, nil
		}
		name, value, _ := bytes.Cut(r.line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			if len(m.data)+len(value) > maxMessage {
				return sseMessage{}, errMessageTooLong
			}
			m.data = append(append(m.data, value...), '\n')
			some = true
		case "event":
			m.name, some = string(value), true
		case "id":
			if !bytes.Contains(value, []byte{0}) {
				r.id, some = string(value), true
			}
		}
	}
}

// readLine reads a line, which ends with LF, CR or CRLF, into r.line.
func (r *sseReader) readLine() error {
	r.line = r.line[:0]
	for {
		if _, err := r.in.Peek(1); err != nil { // fills the buffer
			return err
		}
		part, _ := r.in.Peek(r.in.Buffered())
		if r.afterCR && part[0] == '\n' {
			r.afterCR = false
			_, _ = r.in.Discard(1)
			continue
		}
		r.afterCR = false
		end := bytes.IndexAny(part, "\r\n")
		if end < 0 {
			r.line = append(r.line, part...)
			_, _ = r.in.Discard(len(part))
			if len(r.line) > maxMessage {
				return errMessageTooLong
			}
			continue
		}
		r.line = append(r.line, part[:end]...)
		r.afterCR = part[end] == '\r'
		_, _ = r.in.Discard(end + 1)
		if !r.started {
			r.started = true
			r.line = bytes.TrimPrefix(r.line, []byte("\ufeff"))
		}
		return nil
	}
}

// listener calls heard for each Read that returns something.
type listener struct {
	io.Reader
	heard func()
}

func (l *listener) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.heard()
	}
	return n, err
}
