// Package wire cuts encoded OTLP LogsData without decoding the records.
package wire

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the fields in logs.proto that lead to a record. Each message on the way has
// its list in one field, and everything else belongs to all entries of the list.
const (
	fieldResourceLogs = 1 // of LogsData
	fieldScopeLogs    = 2 // of ResourceLogs
	fieldLogRecords   = 2 // of ScopeLogs
	fieldSchemaURL    = 3 // of ResourceLogs and ScopeLogs
)

// Numbers of fields of InstrumentationScope.
const (
	scopeName       = 1
	scopeAttributes = 3
)

// Numbers of fields of LogRecord.
const (
	recordTime           = 1
	recordSeverityNumber = 2
	recordEventName      = 12
)

// maxLevelBytes is the most that the tag and length of one enclosing message take.
const maxLevelBytes = 6

// ErrMalformed means that the bytes are not LogsData.
var ErrMalformed = errors.New("malformed LogsData")

// Limits of the pieces that Cut makes.
type Limits struct {
	// Bytes and Records bound a piece.
	Bytes, Records int
	// RecordBytes bounds one record with its resource and scope, at most Bytes.
	RecordBytes int
}

// Piece is LogsData with some of the records.
type Piece struct {
	Raw     []byte
	Records int
}

// Cut divides LogsData, in order, into as few pieces as fit the limits. A record
// that alone exceeds RecordBytes is left out and told to tooLarge with its number,
// counted from 0, and its size in bytes.
func Cut(raw []byte, l Limits, tooLarge func(n, size int)) ([]Piece, error) {
	c := cutter{limits: l, tooLarge: tooLarge}
	for pos := 0; pos < len(raw); {
		var f field
		if f, pos = take(raw, pos); pos < 0 || f.num == fieldResourceLogs && !c.cutResource(f.bytes) {
			return nil, ErrMalformed
		}
	}
	c.finish()
	return c.pieces, nil
}

// cutter fills the open piece, a list of groups of records that share a scope.
type cutter struct {
	limits   Limits
	tooLarge func(n, size int)
	pieces   []Piece
	seen     int // records, left out ones included

	groups          []group
	resource, scope []byte // of the records that come
	fresh           bool   // the next record opens a group
	bytes, records  int    // of the open piece; bytes is an upper bound
}

type group struct {
	resource, scope []byte
	records         [][]byte
}

// cutResource cuts a ResourceLogs. It returns false where it is malformed.
func (c *cutter) cutResource(resourceLogs []byte) bool {
	resource, ok := except(resourceLogs, fieldScopeLogs)
	for f := range fields(resourceLogs) {
		if f.num == fieldScopeLogs {
			ok = ok && c.cutScope(resource, f.bytes)
		}
	}
	return ok
}

func (c *cutter) cutScope(resource, scopeLogs []byte) bool {
	scope, ok := except(scopeLogs, fieldLogRecords)
	c.enter(resource, scope)
	if !ok {
		return false
	}
	for f := range fields(scopeLogs) {
		if f.num == fieldLogRecords {
			c.add(f.bytes)
		}
	}
	return true
}

// except returns the fields of a message but one. It returns false where one is malformed.
// What is the first one shares msg's memory.
func except(msg []byte, num protowire.Number) (others []byte, ok bool) {
	for pos := 0; pos < len(msg); {
		f, end := take(msg, pos)
		switch {
		case end < 0:
			return nil, false
		case f.num == num:
		case others == nil:
			others = msg[pos:end:end]
		default:
			others = append(others, msg[pos:end]...)
		}
		pos = end
	}
	return others, true
}

func (c *cutter) enter(resource, scope []byte) {
	c.resource, c.scope, c.fresh = resource, scope, true
}

func (c *cutter) add(record []byte) {
	around := 2*maxLevelBytes + len(c.resource) + len(c.scope)
	size := maxLevelBytes + len(record)
	n := c.seen
	c.seen++
	if around+size > c.limits.RecordBytes {
		c.tooLarge(n, around+size)
		return
	}
	need := size
	if c.fresh {
		need += around
	}
	if c.records == c.limits.Records || c.bytes+need > c.limits.Bytes {
		c.finish()
		need = around + size
	}
	if c.fresh {
		c.groups = append(c.groups, group{resource: c.resource, scope: c.scope})
		c.fresh = false
	}
	g := &c.groups[len(c.groups)-1]
	g.records = append(g.records, record)
	c.bytes += need
	c.records++
}

// finish closes the open piece. What comes next opens a group in the next one.
func (c *cutter) finish() {
	c.fresh = true
	if c.records == 0 {
		return
	}
	b := make([]byte, 0, c.bytes)
	for _, g := range c.groups {
		b = appendGroup(b, g.resource, g.scope, g.records...)
	}
	c.pieces = append(c.pieces, Piece{Raw: b, Records: c.records})
	c.groups, c.bytes, c.records = nil, 0, 0
}

// appendGroup writes LogsData with some records of one scope.
func appendGroup(b, resource, scope []byte, records ...[]byte) []byte {
	scopeLogs := len(scope)
	for _, record := range records {
		scopeLogs += protowire.SizeTag(fieldLogRecords) + protowire.SizeBytes(len(record))
	}
	resourceLogs := len(resource) + protowire.SizeTag(fieldScopeLogs) + protowire.SizeBytes(scopeLogs)
	b = appendHead(b, fieldResourceLogs, resourceLogs)
	b = append(b, resource...)
	b = appendHead(b, fieldScopeLogs, scopeLogs)
	b = append(b, scope...)
	for _, record := range records {
		b = appendHead(b, fieldLogRecords, len(record))
		b = append(b, record...)
	}
	return b
}

func appendHead(b []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size))
}
