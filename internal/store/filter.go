package store

import (
	"context"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store/index"
	"github.com/isbl/telemetry/internal/store/sideindex"
)

// filter is a predicate with what the index needs of it. It is for one goroutine at a time.
type filter struct {
	*predicate.Predicate
	all   bool // nothing is filtered
	head  bool // time, type or severity are
	hints predicate.Hints
	index index.Filter
	side  sideindex.Lookup

	work *Work // of the question; nil where nobody asks

	attributes []string      // that MatchesContent reads
	readsOnly  bool          // only them and fields
	texts      []string      // those of the record that was looked at last
	partly     *eventlog.Ref // the record that ReadFields read last; nil before the first
}

func newFilter(p *predicate.Predicate) filter {
	out := filter{Predicate: p, all: p.All(), head: p.ByHead(), hints: p.Hints()}
	out.attributes, out.readsOnly = p.Reads()
	out.index.Since, out.index.Until = p.Bounds()
	out.index.MinSeverity = p.MinSeverity()
	if types := p.Types(); types != nil {
		out.index.Type = types.Matches
	}
	if sources := p.Sources(); sources != nil {
		out.index.Source = sources.Matches
	}
	return out
}

// newFilter returns a filter that asks the side index too.
func (s *Store) newFilter(p *predicate.Predicate) filter {
	f := newFilter(p)
	f.side = s.sideIndex.Lookup(keysOf(p))
	return f
}

// maxIDKeys is of how many ids the side index is asked: more take longer to look up in each block
// than its records take to read.
const maxIDKeys = 1000

// keysOf returns what the side index can be asked of a predicate.
func keysOf(p *predicate.Predicate) (keys sideindex.Keys) {
	eventIDs, traceIDs := p.IDs()
	if len(eventIDs) <= maxIDKeys {
		keys.AddEventIDs(eventIDs)
	}
	if len(traceIDs) <= maxIDKeys {
		sideindex.AddTraceIDs(&keys, traceIDs)
	}
	for path, values := range p.Data() {
		keys.AddValue(path, values.Texts, values.Numbers)
	}
	for _, word := range p.Words() {
		keys.AddWord(word)
	}
	return keys
}

// matches says whether event i of a block matches. It decodes the record only for what it cannot
// find in the encoded one. The answer means nothing when ctx is done.
func (f *filter) matches(ctx context.Context, of *decoded, i int, failures *Failures) bool {
	if f.all {
		return true
	}
	record := of.Records[i]
	if f.head && !f.MatchesHead(record.Head()) || f.BySource() && !f.MatchesSource(record.Source()) {
		return false
	}
	if f.ByText() {
		if f.texts = record.AppendTexts(f.texts[:0]); !f.MatchesText(f.texts) {
			return false
		}
	}
	if !f.ByContent() {
		return true
	}
	if !f.hints.In(record.Bytes()) {
		return false
	}
	ok, err := f.matchesContent(ctx, of, i)
	if err != nil && ctx.Err() == nil {
		failures.add(err)
	}
	return ok && err == nil
}

func (f *filter) matchesContent(ctx context.Context, of *decoded, i int) (bool, error) {
	if f.readsOnly {
		if f.partly == nil {
			f.partly = eventlog.NewRef()
		}
		if of.Records[i].ReadFields(f.partly.Record, f.attributes) {
			return f.MatchesContent(ctx, *f.partly)
		}
	}
	if f.hints != nil { // they leave few records of a block
		return f.MatchesContent(ctx, of.Ref(i))
	}
	return f.MatchesContent(ctx, of.Refs()[i])
}

// visit calls a function with each event of a block that matches. Errors: the context's.
func (f *filter) visit(ctx context.Context, of *decoded, failures *Failures, visit func(eventlog.Ref)) error {
	hits := make([]int, 0, len(of.Records))
	for i := range of.Records {
		if f.matches(ctx, of, i, failures) {
			hits = append(hits, i)
		}
		if isDone(ctx) {
			return ctx.Err()
		}
	}
	ref := of.Ref
	if len(hits) > len(of.Records)/4 {
		ref = func(i int) eventlog.Ref { return of.Refs()[i] }
	}
	for _, i := range hits {
		if visit(ref(i)); isDone(ctx) {
			return ctx.Err()
		}
	}
	return nil
}

// isDone is ctx.Err() != nil in a fraction of the time: it is asked for each event.
func isDone(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}
