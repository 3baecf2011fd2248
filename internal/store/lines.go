package store

import (
	"sync"
	"sync/atomic"

	"github.com/isbl/telemetry/internal/store/block"
	"github.com/isbl/telemetry/internal/store/wire"
)

// decoded is an open block. What many readers ask for is made once.
type decoded struct {
	*block.Events
	lines lines
}

// lines are the events of a block as Entry.AppendJSON writes them. They are kept once as many
// were written as there are events: then more than one reader is interested in the block.
type lines struct {
	written atomic.Int64
	once    sync.Once
	made    atomic.Bool
	json    []byte
	ends    []int
}

// AppendJSON appends the event as one line of JSON, with its cursor as the first member.
func (e *Entry) AppendJSON(dst []byte, encoder *wire.JSONEncoder) []byte {
	l, events := &e.events.lines, int64(len(e.events.Records))
	if !l.made.Load() {
		if l.written.Add(1) <= events {
			return e.write(dst, encoder)
		}
		l.once.Do(func() { l.write(e) })
	}
	start := 0
	if e.at > 0 {
		start = l.ends[e.at-1]
	}
	return append(dst, l.json[start:l.ends[e.at]]...)
}

// write writes the events of the block that an entry is of.
func (l *lines) write(of *Entry) {
	l.json, l.ends = make([]byte, 0, 3*of.events.RawBytes), make([]int, 0, len(of.events.Records))
	var encoder wire.JSONEncoder
	each := Entry{Cursor: of.Cursor, events: of.events}
	for i := range of.events.Records {
		each.at, each.Cursor.pos = i, uint32(i+1)
		l.json = each.write(l.json, &encoder)
		l.ends = append(l.ends, len(l.json))
	}
	l.made.Store(true)
}

func (e *Entry) write(dst []byte, encoder *wire.JSONEncoder) []byte {
	dst = append(dst, `{"cursor":"`...)
	dst = e.Cursor.AppendText(dst)
	dst = append(dst, '"')
	brace := len(dst)
	dst = encoder.Append(dst, e.events.Records[e.at])
	dst[brace] = ',' // instead of the { of the event
	return dst
}
