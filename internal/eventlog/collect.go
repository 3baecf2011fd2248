package eventlog

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog"
)

// A component that refuses some records of a request and takes the others has no error to answer
// that everything between it and the sender understands: the Collector's own parts count an error
// for all records of the request. So it tells a collector in the context, and answers nil. Where
// there is none, because a queue, a batch processor or another component that makes requests of its
// own lies between, the answer is the *Refused.

type collectorKey struct{}

type collector struct {
	mu      sync.Mutex
	closed  bool
	refused *Refused
}

// Consume passes records on to next. The error is a *Refused where some records were refused and
// all others taken, whether next told so or answered it; or what next answered of the whole
// request.
func Consume(ctx context.Context, next interface {
	ConsumeLogs(ctx context.Context, ld plog.Logs) error
}, ld plog.Logs,
) error {
	c := new(collector)
	err := next.ConsumeLogs(context.WithValue(ctx, collectorKey{}, c), ld)
	told := c.close()
	switch answered := RefusedAlone(err); {
	case told == nil:
		return err
	case err == nil:
		return told
	case answered == nil:
		return err
	default:
		return told.union(answered)
	}
}

// Answer is what a component answers for err: nil where err is a *Refused that leaves some records,
// and the caller of Consume can be told.
func Answer(ctx context.Context, err error) error {
	refused := RefusedAlone(err)
	c, _ := ctx.Value(collectorKey{}).(*collector)
	if refused == nil || c == nil || len(refused.Records) >= refused.Total || !c.tell(refused) {
		return err
	}
	return nil
}

// tell returns false where it is too late: the request was answered.
func (c *collector) tell(refused *Refused) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.refused = refused.union(c.refused)
	return true
}

func (c *collector) close() *Refused {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.refused
}

// union is what either of two components refused of the same request.
func (r *Refused) union(other *Refused) *Refused {
	if other == nil {
		return r
	}
	all := &Refused{Total: r.Total, Records: slices.Concat(r.Records, other.Records)}
	slices.SortStableFunc(all.Records, byIndex)
	all.Records = slices.CompactFunc(all.Records, func(a, b Refusal) bool { return a.Index == b.Index })
	return all
}
