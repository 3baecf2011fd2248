package eventbufferprocessor

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
)

// chunk is what waits in the buffer: events of one request, at most a batch of them.
type chunk struct {
	ld     plog.Logs
	events int
}

// chunksOf moves the events of a request into chunks of at most maxEvents. The request itself may
// be reused by who sent it.
func chunksOf(ld plog.Logs, events, maxEvents int) []chunk {
	if events <= maxEvents {
		c := chunk{ld: plog.NewLogs(), events: events}
		ld.MoveTo(c.ld)
		return []chunk{c}
	}
	var chunks []chunk
	last := &chunk{events: maxEvents}
	for _, rl := range ld.ResourceLogs().All() {
		var resource plog.ResourceLogs // of the last chunk, once it has events of rl
		for _, sl := range rl.ScopeLogs().All() {
			var scope plog.ScopeLogs // likewise of sl
			for _, record := range sl.LogRecords().All() {
				if last.events == maxEvents {
					chunks = append(chunks, chunk{ld: plog.NewLogs()})
					last = &chunks[len(chunks)-1]
					resource, scope = plog.ResourceLogs{}, plog.ScopeLogs{}
				}
				if resource == (plog.ResourceLogs{}) {
					resource = last.ld.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(resource.Resource())
					resource.SetSchemaUrl(rl.SchemaUrl())
				}
				if scope == (plog.ScopeLogs{}) {
					scope = resource.ScopeLogs().AppendEmpty()
					sl.Scope().CopyTo(scope.Scope())
					scope.SetSchemaUrl(sl.SchemaUrl())
				}
				record.MoveTo(scope.LogRecords().AppendEmpty())
				last.events++
			}
		}
	}
	return chunks
}

// merge moves chunks into one, in their order. There must be one.
func merge(chunks []chunk) chunk {
	all := chunks[0]
	for _, c := range chunks[1:] {
		c.ld.ResourceLogs().MoveAndAppendTo(all.ld.ResourceLogs())
		all.events += c.events
	}
	return all
}

// removeFirst removes the first events and tells the type of each.
func (c *chunk) removeFirst(events int, removed func(eventType string)) {
	c.events -= events
	eventlog.RemoveRecords(c.ld, func(record plog.LogRecord) bool {
		if events == 0 {
			return false
		}
		events--
		removed(record.EventName())
		return true
	})
}

// queue holds chunks, the oldest first.
type queue struct {
	chunks []chunk
	events int
}

func (q *queue) push(chunks []chunk) {
	for _, c := range chunks {
		q.events += c.events
	}
	q.chunks = append(q.chunks, chunks...)
}

// pop takes chunks from the front: at least one, and more as long as they have no more than
// maxEvents together.
func (q *queue) pop(maxEvents int) []chunk {
	n, events := 1, q.chunks[0].events
	for ; n < len(q.chunks) && events+q.chunks[n].events <= maxEvents; n++ {
		events += q.chunks[n].events
	}
	popped := slices.Clone(q.chunks[:n])
	q.cut(n, events)
	return popped
}

// removeFirst removes the oldest events and tells the type of each.
func (q *queue) removeFirst(events int, removed func(eventType string)) {
	for events > 0 {
		oldest := &q.chunks[0]
		n := min(events, oldest.events)
		events -= n
		oldest.removeFirst(n, removed)
		if oldest.events > 0 {
			q.events -= n
			return
		}
		q.cut(1, n)
	}
}

// cut forgets the first n chunks, which have so many events.
func (q *queue) cut(n, events int) {
	clear(q.chunks[:n]) // so that they can be freed
	q.chunks = q.chunks[n:]
	q.events -= events
}
