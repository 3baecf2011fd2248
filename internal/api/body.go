package api

import (
	"strconv"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// bodies are bodies whose memory is used again. A sync.Pool loses large ones: there are few, so
// that one often lies with another processor, and two collections free it.
var bodies = make(chan *body, 2)

// body is a page in the making. Events are written into it as they are read, so that it
// keeps none of the store's memory.
type body struct {
	form    *form
	encoder wire.JSONEncoder
	events  []byte
	count   int
	next    store.Cursor
	more    bool
	gap     *store.Gap

	failures store.Failures // of everything read for the answer
}

func newBody(f *form) *body {
	select {
	case b := <-bodies:
		*b = body{form: f, events: b.events[:0]}
		return b
	default:
		return &body{form: f}
	}
}

// reset empties b for the page after it.
func (b *body) reset() {
	*b = body{form: b.form, encoder: b.encoder, events: b.events[:0], next: b.next, failures: b.failures}
}

// free gives b's memory back; b must not be used after it.
func (b *body) free() {
	if cap(b.events) > maxPageBytes {
		return
	}
	b.encoder = wire.JSONEncoder{} // which keeps blocks of the store in memory
	select {
	case bodies <- b:
	default:
	}
}

// add writes a page of the store into b. It returns false when the page ends here.
func (b *body) add(page *store.Page, maxBytes int) bool {
	if page.Gap != nil {
		b.gap = page.Gap
	}
	b.failures.Add(page.Failures)
	for i := range page.Entries {
		before := len(b.events)
		b.addEvent(&page.Entries[i])
		if b.form == formOTLP && len(b.events) > maxBytes && b.count > 1 { // a receiver would refuse it
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

// addEvent writes an event, apart from the one before.
func (b *body) addEvent(entry *store.Entry) {
	if b.form == formOTLP {
		b.count++
		b.events = entry.Record().AppendOTLP(b.events)
		return
	}
	if (b.form == formJSON || b.form == formCloudEvents) && b.count > 0 {
		b.events = append(b.events, ",\n"...)
	}
	b.count++
	b.events = appendAs(b.events, entry, b.form, &b.encoder)
	if b.form == formNDJSON {
		b.events = append(b.events, '\n')
	}
}

// appendGap writes a gap as a line.
func appendGap(dst []byte, gap *store.Gap) []byte {
	return append(append(append(dst, `{"gap":`...), compact(gap)...), "}\n"...)
}

// frame returns what goes before and after the events.
func (b *body) frame() (head, tail []byte) {
	switch {
	case b.form == formOTLP:
		return nil, nil // the gap is in a header only
	case b.form == formCloudEvents:
		return []byte("["), []byte("]\n") // and so here
	case b.form == formNDJSON && b.gap != nil:
		return appendGap(nil, b.gap), nil
	case b.form == formNDJSON:
		return nil, nil
	}
	head = []byte(`{"events":[`)
	tail = append([]byte(`],"next":"`), b.next.String()...)
	tail = append(tail, `","more":`...)
	tail = strconv.AppendBool(tail, b.more)
	if b.gap != nil {
		tail = append(append(tail, `,"gap":`...), compact(b.gap)...)
	}
	if f := b.failures.OrNil(); f != nil {
		tail = append(append(tail, `,"where_errors":`...), compact(f)...)
	}
	return head, append(tail, "}\n"...)
}
