package api

import (
	"net/http"
	"strconv"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// bodies are bodies whose memory is used again. A sync.Pool loses large ones: there are few, so
// that one often lies with another processor, and two collections free it.
var bodies = make(chan *body, 2)

// body is an answer in the making. Events are written into it as they are read, so that it keeps
// none of the store's memory.
type body struct {
	pageEnd

	format *pageFormat
	writer pageWriter
	events []byte

	encoder wire.JSONEncoder
	count   int
	room    budget.Reservation // for events, and for reading them
	full    bool               // there was no room for one event more
}

// newBody returns an empty body that takes its memory of the Handler's answers.
func (h *Handler) newBody(f *pageFormat, w pageWriter) *body {
	b := &body{}
	select {
	case b = <-bodies:
	default:
	}
	*b = body{format: f, writer: w, events: b.events[:0]}
	b.room.Use(h.opts.Answers)
	if b.hold(readingBytes) != nil {
		b.events = nil
	}
	return b
}

// readingBytes is about what reading takes besides the answer: blocks, decoded, and the next ones.
const readingBytes = 512 << 10

// hold reserves the memory that b has, and extra bytes. Errors: budget.ErrFull, budget.ErrTooLarge.
func (b *body) hold(extra int64) error {
	wanted := int64(cap(b.events)) + extra
	if wanted == b.room.Bytes() {
		return nil
	}
	return b.room.Resize(wanted)
}

// rest gives up the memory of an empty b while its request waits for events.
func (b *body) rest() {
	b.events = nil
	_ = b.hold(0) // less never fails
}

// reset empties b for the part of the answer after it.
func (b *body) reset() {
	*b = body{
		pageEnd: pageEnd{next: b.next, failures: b.failures, work: b.work},
		format:  b.format, writer: b.writer, events: b.events[:0], encoder: b.encoder, room: b.room,
	}
}

// free gives b's memory back; b must not be used after it.
func (b *body) free() {
	_ = b.room.Resize(0) // which never fails
	if cap(b.events) > maxPageBytes {
		return
	}
	b.encoder = wire.JSONEncoder{} // which keeps blocks of the store in memory
	select {
	case bodies <- b:
	default:
	}
}

// add writes a page of the store into b. It returns false when the answer ends here.
func (b *body) add(page *store.Page, maxBytes int) bool {
	if page.Gap != nil {
		b.gap = page.Gap
	}
	b.failures.Add(page.Failures)
	for i := range page.Entries {
		before := len(b.events)
		b.addEvent(&page.Entries[i])
		if b.hold(readingBytes) != nil { // others take the memory: this page ends early
			b.events, b.count, b.more, b.full = b.events[:before:before], b.count-1, true, true
			return false
		}
		if b.format.exact && len(b.events) > maxBytes && b.count > 1 {
			b.events, b.count, b.more = b.events[:before], b.count-1, true
			return false
		}
		b.next = page.Entries[i].Cursor
		if len(b.events) >= maxBytes {
			b.more = page.More || i+1 < len(page.Entries)
			return false
		}
	}
	b.next, b.more = page.Next, page.More
	return page.More
}

// addBlocks takes blocks of the store, whose data begins with b's. It returns false when
// there are none.
func (b *body) addBlocks(blocks *store.Blocks) bool {
	if blocks.Events == 0 {
		return false
	}
	b.events, b.next, b.more = blocks.Data, blocks.Next, blocks.More
	b.count += blocks.Events
	return true
}

func (b *body) addEvent(entry *store.Entry) {
	b.events = b.writer.event(b.events, entry, b.count, &b.encoder)
	b.count++
}

// send writes the whole answer. A client that is gone is no error.
func (b *body) send(w http.ResponseWriter, r *http.Request) {
	head, tail := b.writer.head(nil, &b.pageEnd), b.writer.tail(nil, &b.pageEnd)
	header := w.Header()
	b.header(header)
	header.Set("Content-Type", b.format.contentType)
	header.Set("Content-Length", strconv.Itoa(len(head)+len(b.events)+len(tail)))
	extendDeadlines(w, r, 0)
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	for _, part := range [][]byte{head, b.events, tail} {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}
