package eventreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"google.golang.org/grpc/codes"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/httpguard"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/body"
)

// door is what the listeners share: the way of the records into the pipeline, and the bounds of a
// request.
type door struct {
	canonical *canonicalizer
	memory    *budget.Budget
	maxEvents int
	bodies    sync.Pool // of *body.Body
}

func newDoor(canonical *canonicalizer, maxEvents int) *door {
	d := &door{canonical: canonical, memory: budget.Process(), maxEvents: maxEvents}
	d.bodies.New = func() any { return new(body.Body) }
	return d
}

// open returns a body of at most limit bytes. The caller gives it back with close once the request
// is answered.
func (d *door) open(limit int64) *body.Body {
	b := d.bodies.Get().(*body.Body)
	b.Open(d.memory, limit)
	return b
}

func (d *door) close(b *body.Body) {
	b.Close()
	d.bodies.Put(b)
}

// refusal says why a request is refused as a whole.
type refusal struct {
	status int        // over HTTP
	code   codes.Code // over gRPC, and in the answers of OTLP over HTTP
	reason string
	detail string

	parameter string // of the query, which is wrong
}

func (r *refusal) Error() string { return r.detail }

func newRefusal(status int, code codes.Code, reason, detail string, args ...any) *refusal {
	return &refusal{status: status, code: code, reason: reason, detail: fmt.Sprintf(detail, args...)}
}

// tooMany refuses a request that holds more than max_events.
func (d *door) tooMany() *refusal {
	return newRefusal(http.StatusRequestEntityTooLarge, codes.InvalidArgument, reasonTooMany,
		"the request holds more than %d events: send fewer at once, or raise `max_events` of the receiver", d.maxEvents)
}

// refusalOf says what is wrong with a body that could not be read, or that takes more memory than
// there is.
func (d *door) refusalOf(err error) *refusal {
	var tooLarge *body.TooLargeError
	var asSent *http.MaxBytesError
	var unsupported *body.UnsupportedError
	switch {
	case errors.As(err, &tooLarge):
		return bodyTooLarge(tooLarge.Limit)
	case errors.As(err, &asSent):
		return bodyTooLarge(asSent.Limit)
	case errors.Is(err, budget.ErrFull):
		return newRefusal(http.StatusServiceUnavailable, codes.Unavailable, reasonOverloaded,
			"the requests in flight take all of the %d MiB of memory that they may: try again later", d.memory.Limit()>>20)
	case errors.Is(err, budget.ErrTooLarge):
		return newRefusal(http.StatusRequestEntityTooLarge, codes.InvalidArgument, reasonBody,
			"the request would take more than %d MiB of memory once decoded: send fewer events at once",
			d.memory.Largest()>>20)
	case errors.Is(err, httpguard.ErrSlowBody):
		return newRefusal(httpguard.ErrSlowBody.Status, codes.DeadlineExceeded, reasonSlow, "%v", err)
	case errors.As(err, &unsupported):
		return newRefusal(http.StatusUnsupportedMediaType, codes.Unimplemented, reasonEncoding, "%v", err)
	}
	return newRefusal(http.StatusBadRequest, codes.InvalidArgument, reasonEncoding, "the body cannot be read: %v", err)
}

func bodyTooLarge(limit int64) *refusal {
	return newRefusal(http.StatusRequestEntityTooLarge, codes.ResourceExhausted, reasonBody,
		"the body is larger than %d bytes, decompressed: send fewer events at once", limit)
}

// count counts a request that is refused.
func (d *door) count(ctx context.Context, r *refusal) {
	d.canonical.refusedRequest(ctx, r.reason, problems.Problem{Detail: r.detail})
}
