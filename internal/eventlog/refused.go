package eventlog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/isbl/telemetry/internal/event"
)

// Refused says which records of a request were not taken, and why. All others were taken. It is a
// permanent error with the gRPC status InvalidArgument, which the otlp receiver answers with 400.
type Refused struct {
	// Total is the number of records of the request.
	Total int
	// Records are those that were refused, by ascending Index.
	Records []Refusal
}

// Refusal is one refused record.
type Refusal struct {
	// Index is the place of the record in its request, counted from 0.
	Index int
	// EventID and EventType are those of the record, empty if it has none.
	EventID, EventType string
	// Reason is event.ReasonTooDeep or event.ReasonTooLarge.
	Reason string
	// Detail says it in words.
	Detail string
}

// maxNamed bounds how many records the error's text names.
const maxNamed = 5

func (r *Refused) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d records refused", len(r.Records), r.Total)
	if others := r.Total - len(r.Records); others > 0 {
		fmt.Fprintf(&b, ", the other %d were taken", others)
	}
	b.WriteString(": ")
	for i, rec := range r.Records {
		if i == maxNamed {
			fmt.Fprintf(&b, "; and %d more", len(r.Records)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "record %d", rec.Index)
		if rec.EventType != "" || rec.EventID != "" {
			fmt.Fprintf(&b, " (event type %q, id %q)", event.Shorten(rec.EventType), event.Shorten(rec.EventID))
		}
		fmt.Fprintf(&b, ": %s: %s", rec.Reason, rec.Detail)
	}
	return b.String()
}

// len is the number of refused records; nil has none.
func (r *Refused) len() int {
	if r == nil {
		return 0
	}
	return len(r.Records)
}

var errPermanent = consumererror.NewPermanent(errors.New("records refused"))

// Unwrap makes the error permanent for consumererror.IsPermanent.
func (r *Refused) Unwrap() error { return errPermanent }

// GRPCStatus is what a gRPC sender gets.
func (r *Refused) GRPCStatus() *status.Status { return status.New(codes.InvalidArgument, r.Error()) }

// Merge adds the refusals of a later stage, which never saw the records that r names; nil
// adds none. They are counted anew, in the order of the request.
func (r *Refused) Merge(later *Refused) *Refused {
	if later == nil {
		return r
	}
	all := &Refused{Total: r.Total}
	rest := r.Records
	for _, rec := range slices.SortedFunc(slices.Values(later.Records), byIndex) {
		passed := len(r.Records) - len(rest)
		for len(rest) > 0 && rest[0].Index <= rec.Index+passed {
			all.Records = append(all.Records, rest[0])
			rest = rest[1:]
			passed++
		}
		rec.Index += passed
		all.Records = append(all.Records, rec)
	}
	all.Records = append(all.Records, rest...)
	return all
}

func byIndex(a, b Refusal) int { return cmp.Compare(a.Index, b.Index) }

// RefusedAlone returns the *Refused that err is or wraps, nil if it is something else.
// Joined errors count as something else: they hold the error of another consumer, which the sender
// must get too.
func RefusedAlone(err error) *Refused {
	for ; err != nil; err = errors.Unwrap(err) {
		if refused, ok := err.(*Refused); ok { //nolint:errorlint // errors.As looks into joined errors too
			return refused
		}
	}
	return nil
}
