package eventlog

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
)

// Batch makes canonical records of events that come in one by one, and need not be complete. Events
// of one source that follow one another share a resource and a scope.
type Batch struct {
	// Logs are the records, in the order of Add.
	Logs plog.Logs

	defaults Defaults
	ids      idMaker
	record   plog.LogRecord // the next one
	records  plog.LogRecordSlice
	source   string // of records
	open     bool   // records takes the next event of source
}

// NewBatch returns an empty batch.
func NewBatch(d Defaults) *Batch {
	return &Batch{Logs: plog.NewLogs(), defaults: d, ids: idMaker{time.Now()}, record: plog.NewLogRecord()}
}

// Add adds an event whose data is in data, not in e.Data, and empties data. Fields that e leaves
// empty get the values that Canonicalize gives them. It returns the event's id, or what is wrong
// with the event and leaves the batch as it was.
func (b *Batch) Add(e *event.Event, data pcommon.Map) (id string, f *event.Fault) {
	w := recordWriter{e: e, record: b.record}
	data.MoveTo(w.record.Attributes())
	if f := b.fill(&w); f != nil {
		b.record = plog.NewLogRecord()
		return "", f
	}
	id = getStr(w.record.Attributes(), event.AttrUID)
	switch {
	case w.placed():
		w.record.MoveTo(w.sl.LogRecords().AppendEmpty())
		w.rl.MoveTo(b.Logs.ResourceLogs().AppendEmpty())
		b.open = false
		return id, nil
	case !b.open || b.source != e.Source:
		b.start(e.Source)
	}
	w.record.MoveTo(b.records.AppendEmpty())
	return id, nil
}

// placed says whether the record has a resource and a scope of its own.
func (w *recordWriter) placed() bool { return w.rl != plog.ResourceLogs{} }

func (b *Batch) fill(w *recordWriter) *event.Fault {
	if t := w.e.Timestamp; !t.IsZero() {
		if f := event.CheckTime(t); f != nil {
			return f.In("timestamp")
		}
	}
	for _, name := range []string{event.MetaResource, event.MetaScope} {
		if _, ok := w.e.Metadata[name]; ok && !w.placed() {
			w.rl = plog.NewResourceLogs()
			w.sl = w.rl.ScopeLogs().AppendEmpty()
		}
	}
	if f := w.fields(); f != nil {
		return f
	}
	if f := b.writeSource(w); f != nil {
		return f
	}
	_, f := look(true).canonicalize(w.record, b.defaults, &b.ids)
	if f != nil && f.Reason == event.ReasonTooDeep {
		return tooDeepMetadata()
	}
	return f
}

// writeSource writes the source of a record that is placed, and checks that of others.
func (b *Batch) writeSource(w *recordWriter) *event.Fault {
	switch {
	case w.placed() && w.e.Source == "":
		if scope := w.sl.Scope(); event.SourceOf(serviceName(w.rl.Resource()), scope.Name()) == "" {
			scope.SetName(b.defaults.SourceID)
		}
		return nil
	case w.placed():
		return w.source()
	case w.e.Source != "":
		if f := event.CheckSource(w.e.Source); f != nil {
			return f.In("source")
		}
	}
	return nil
}

// start begins a resource for a source.
func (b *Batch) start(source string) {
	rl := b.Logs.ResourceLogs().AppendEmpty()
	sl := rl.ScopeLogs().AppendEmpty()
	if source == "" {
		sl.Scope().SetName(b.defaults.SourceID)
	} else {
		rl.Resource().Attributes().PutStr(event.AttrServiceName, source)
	}
	b.records, b.source, b.open = sl.LogRecords(), source, true
}
