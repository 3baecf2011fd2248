package store

import (
	"context"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store/index"
)

// filter is a predicate with what the index needs of it.
type filter struct {
	*predicate.Predicate
	all   bool // nothing is filtered
	head  bool // time, type or severity are
	hints predicate.Hints
	index index.Filter
}

func newFilter(p *predicate.Predicate) filter {
	out := filter{Predicate: p, all: p.All(), head: p.ByHead(), hints: p.Hints()}
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
	if !f.ByContent() {
		return true
	}
	if !f.hints.In(record.Bytes()) {
		return false
	}
	ok, err := f.MatchesContent(ctx, f.ref(of, i))
	if err != nil && ctx.Err() == nil {
		failures.add(err)
	}
	return ok && err == nil
}

// ref returns the decoded record i. Where hints leave few records of a block, only those are
// decoded.
func (f *filter) ref(of *decoded, i int) eventlog.Ref {
	if f.hints != nil {
		return of.Ref(i)
	}
	return of.Refs()[i]
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
