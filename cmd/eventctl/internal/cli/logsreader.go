package cli

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxPart is the size above which a part of a file is taken for damage: receivers take 20 MiB at
// most by default.
const maxPart = 64 << 20

// logsReader cuts OTLP LogsData into requests, without decoding it: its ResourceLogs lie behind one
// another, each with a tag and its length, and as many of them as one likes are LogsData, and a
// request, again.
type logsReader struct {
	in *bufio.Reader
	at int64 // bytes read
	// ahead is a part that was read, but had no room in the last request.
	ahead []byte
}

func newLogsReader(in io.Reader) *logsReader { return &logsReader{in: bufio.NewReaderSize(in, 64<<10)} }

// next returns a request of at least one ResourceLogs, and of at most about limit bytes where they
// allow. At the end it returns io.EOF.
func (r *logsReader) next(limit int) ([]byte, error) {
	request := r.ahead
	r.ahead = nil
	for {
		part, err := r.part()
		switch {
		case errors.Is(err, io.EOF) && len(request) > 0:
			return request, nil
		case err != nil:
			return nil, err
		case len(request) > 0 && len(request)+len(part) > limit:
			r.ahead = part
			return request, nil
		}
		request = append(request, part...)
	}
}

// resourceLogs is the tag of field 1 of LogsData, with a length.
const resourceLogs = 1<<3 | 2

// part reads one ResourceLogs, with its tag and length.
func (r *logsReader) part() ([]byte, error) {
	tag, err := r.in.ReadByte()
	if err != nil {
		return nil, err // io.EOF: here the file may end
	}
	length, err := binary.ReadUvarint(r.in)
	switch {
	case tag != resourceLogs:
		return nil, r.damaged(errors.New("no OTLP LogsData"))
	case err != nil || length > maxPart:
		return nil, r.damaged(errors.New("not a length"))
	}
	part := binary.AppendUvarint([]byte{tag}, length)
	head := len(part)
	part = append(part, make([]byte, length)...)
	if _, err := io.ReadFull(r.in, part[head:]); err != nil {
		return nil, r.damaged(errors.New("the file ends in the middle"))
	}
	r.at += int64(len(part))
	return part, nil
}

func (r *logsReader) damaged(err error) error {
	return fmt.Errorf("damaged or no OTLP, at about byte %d: %w", r.at, err)
}
