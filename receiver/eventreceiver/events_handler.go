package eventreceiver

import (
	"bytes"
	"context"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/measure"
)

// reasonBatch is why good events of a request are refused, with all_or_nothing.
const reasonBatch = "batch"

// ServeHTTP takes the events of a request.
func (s *eventsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in input
	hook, refused := s.hookOf(r.URL.Path)
	switch {
	case refused != nil:
	case isHandshake(r):
		if refused = s.handshake(w, r); refused == nil {
			return
		}
	default:
		in, refused = s.route(w, r, hook)
	}
	if refused != nil {
		s.refuse(w, r, refused)
		return
	}
	b, err := s.read(r)
	if err != nil {
		s.refuse(w, r, s.door.refusalOf(err))
		return
	}
	defer s.door.close(b)
	if err := b.Memory.Grow(s.decodedSize(&in, b.Bytes())); err != nil {
		s.refuse(w, r, s.door.refusalOf(err))
		return
	}
	if refused := in.hook.check(r.Header, b.Bytes()); refused != nil {
		s.refuse(w, r, refused)
		return
	}
	read := s.readers.Get().(*readers)
	defer s.readers.Put(read)
	req := s.decode(&in, read, b.Bytes())
	if req == nil {
		s.refuse(w, r, s.door.tooMany())
		return
	}
	s.take(w, r, in.form, req)
}

// eventBytes is about what an event takes beside its values, or what is said of one that is
// refused.
const eventBytes = 400

// decodedSize returns about how much memory the events of a body take once decoded.
func (s *eventsServer) decodedSize(in *input, text []byte) int64 {
	events := min(s.door.maxEvents, bytes.Count(text, []byte{','})+bytes.Count(text, []byte{'\n'})+1)
	size := int64(events) * eventBytes
	if in.mapping != nil {
		size += in.mapped().Size(events, len(text))
	}
	if in.form == formFields {
		return size + measure.Form(text)
	}
	return size + measure.Text(text)
}

// take hands on the events that were read, and answers.
func (s *eventsServer) take(w http.ResponseWriter, r *http.Request, f form, req *request) {
	ctx := r.Context()
	if req.wrong != nil { // there is no telling what the rest was meant to be, and so nothing is taken
		index, example := req.count, problems.Problem{}
		if n := len(req.rejected); n > 0 && req.rejected[n-1].Index == index-1 { // the one that has no end
			index--
			example = req.rejected[n-1].example
		}
		example.Pointer, example.Detail = req.wrong.Pointer, "the body "+req.wrong.Detail
		s.canonical.refusedRequest(ctx, req.wrong.Reason, example)
		req.rejected = []rejection{{Index: index, Pointer: example.Pointer, Reason: req.wrong.Reason, Detail: example.Detail}}
		answerRejected(w, req, "the body is not JSON, so nothing of it was taken")
		return
	}
	s.count(ctx, req)
	if len(req.rejected) > 0 && s.cfg.AllOrNothing {
		s.canonical.refused(ctx, reasonBatch, len(req.ids), problems.Problem{Detail: "another event of the request was refused (all_or_nothing)"})
		answerRejected(w, req, "nothing was taken, since some events cannot be (all_or_nothing)")
		return
	}
	if len(req.ids) > 0 {
		if err := s.pass(ctx, f, req); err != nil {
			answerError(w, err)
			return
		}
	}
	if req.count > 0 && len(req.ids) == 0 {
		answerRejected(w, req, "none of the events can be taken")
		return
	}
	answerTaken(w, req)
}

// count counts the events that cannot be taken.
func (s *eventsServer) count(ctx context.Context, req *request) {
	for _, one := range req.rejected {
		s.canonical.refused(ctx, one.Reason, 1, one.example)
	}
}

// pass gives the events to the next component. What that refuses by name is removed from req, and
// is no error.
func (s *eventsServer) pass(ctx context.Context, f form, req *request) error {
	ld := req.batch.Logs
	s.canonical.suspectText(ctx, ld, req.repaired)
	if refused := s.canonical.canonicalize(ctx, ld); refused != nil { // what was read is no deeper than it may be
		req.remove(refused)
	}
	op := s.report.StartLogsOp(ctx)
	refused, err := s.consume(op, ld, req)
	s.report.EndLogsOp(op, string(f), len(req.ids), err)
	if refused != nil { // an operation succeeds or fails as a whole, so there are two
		s.report.EndLogsOp(s.report.StartLogsOp(ctx), string(f), len(refused.Records), refused)
	}
	return err
}

func (s *eventsServer) consume(ctx context.Context, ld plog.Logs, req *request) (*eventlog.Refused, error) {
	err := s.canonical.pass(ctx, ld)
	if refused := eventlog.RefusedAlone(err); refused != nil {
		req.remove(refused)
		slices.SortFunc(req.rejected, func(a, b rejection) int { return a.Index - b.Index })
		return refused, nil
	}
	return nil, err
}
