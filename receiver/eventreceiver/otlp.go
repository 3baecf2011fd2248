package eventreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"google.golang.org/grpc/codes"

	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/body"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/measure"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/otlpjson"
)

// otlp takes ExportLogsServiceRequests, for both of its transports.
type otlp struct {
	*door
	report *receiverhelper.ObsReport
}

func newOTLP(set receiver.Settings, d *door, transport string) (*otlp, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: transport, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, fmt.Errorf("create telemetry: %w", err)
	}
	return &otlp{d, report}, nil
}

// encoding is how a request is encoded.
type encoding struct {
	name      string // in the Collector's traces
	mediaType string // of the answer
	measure   func(body []byte, maxRecords int) (measure.Size, error)
	decode    func(body []byte) (decoded, error)
	encode    func(plogotlp.ExportResponse) ([]byte, error)
}

// decoded is what was decoded of a request: records, and those that cannot be, by their places
// among all of them.
type decoded struct {
	logs    plog.Logs
	refused []eventlog.Refusal
}

// len is the number of records, those that are refused included.
func (d decoded) len() int { return d.logs.LogRecordCount() + len(d.refused) }

var (
	protobuf = &encoding{"protobuf", "application/x-protobuf", measure.Proto, decodeProto, plogotlp.ExportResponse.MarshalProto}
	jsonText = &encoding{"json", typeJSON, measureJSON, decodeJSON, plogotlp.ExportResponse.MarshalJSON}
	// jsonLines are requests in JSON, one a line, as the Collector's file exporter writes them.
	jsonLines = &encoding{"ndjson", typeJSON, measureLines, decodeLines, plogotlp.ExportResponse.MarshalJSON}
)

func decodeProto(body []byte) (decoded, error) {
	req := plogotlp.NewExportRequest()
	err := req.UnmarshalProto(body)
	return decoded{logs: req.Logs()}, err
}

// decodeJSON decodes with pdata's decoder, and what that does not take with a slower one that takes
// more.
func decodeJSON(text []byte) (decoded, error) {
	text = eventjson.WithoutBOM(text)
	req := plogotlp.NewExportRequest()
	if req.UnmarshalJSON(text) == nil {
		return decoded{logs: req.Logs()}, nil
	}
	ld, refused, err := otlpjson.Decode(text)
	return decoded{logs: ld, refused: refused}, err
}

// measureJSON refuses text behind the request, of which the decoder would take no notice.
func measureJSON(text []byte, maxRecords int) (measure.Size, error) {
	text = eventjson.WithoutBOM(text)
	size, err := measure.JSON(text, maxRecords)
	if err == nil && size.End > 0 && len(bytes.Trim(text[size.End:], " \t\r\n")) > 0 {
		err = fmt.Errorf("there is text behind the first object, at byte %d: send several requests in lines, as %s", size.End, typeLines)
	}
	return size, err
}

func decodeLines(text []byte) (decoded, error) {
	all := decoded{logs: plog.NewLogs()}
	var err error
	eventjson.Lines(eventjson.WithoutBOM(text), func(line []byte) {
		if err != nil {
			return
		}
		var one decoded
		if one, err = decodeJSON(line); err != nil {
			return
		}
		before := all.len()
		for _, r := range one.refused {
			r.Index += before
			all.refused = append(all.refused, r)
		}
		one.logs.ResourceLogs().MoveAndAppendTo(all.logs.ResourceLogs())
	})
	return all, err
}

func measureLines(text []byte, maxRecords int) (all measure.Size, err error) {
	eventjson.Lines(eventjson.WithoutBOM(text), func(line []byte) {
		if err != nil {
			return
		}
		var size measure.Size
		size, err = measureJSON(line, maxRecords-all.Records)
		all.Records += size.Records
		all.Bytes += size.Bytes
	})
	return all, err
}

// export decodes a request and gives it to the pipeline. The error is a *refusal, or what the
// pipeline answered. Where only some of the records were refused, the response names them.
func (o *otlp) export(ctx context.Context, enc *encoding, b *body.Body) (plogotlp.ExportResponse, error) {
	resp := plogotlp.NewExportResponse()
	req, refusedAll := o.decode(enc, b)
	if refusedAll != nil {
		o.count(ctx, refusedAll)
		return resp, refusedAll
	}
	records := req.len()
	if records == 0 {
		return resp, nil
	}
	op := o.report.StartLogsOp(ctx)
	err := o.consume(op, req)
	rejected := eventlog.RefusedAlone(err)
	if rejected == nil || len(rejected.Records) >= records {
		o.report.EndLogsOp(op, enc.name, records, err)
		return resp, err
	}
	// An operation succeeds or fails as a whole, so there are two.
	o.report.EndLogsOp(op, enc.name, records-len(rejected.Records), nil)
	o.report.EndLogsOp(o.report.StartLogsOp(ctx), enc.name, len(rejected.Records), err)
	partial := resp.PartialSuccess()
	partial.SetRejectedLogRecords(int64(len(rejected.Records)))
	partial.SetErrorMessage(strings.ToValidUTF8(rejected.Error(), "\uFFFD"))
	return resp, nil
}

// consume gives the records that could be decoded to the pipeline. Its errors are those of
// consumeLogs, which name those that could not, too.
func (o *otlp) consume(ctx context.Context, req decoded) error {
	if len(req.refused) == 0 {
		return o.canonical.consumeLogs(ctx, req.logs)
	}
	for _, r := range req.refused {
		o.canonical.refused(ctx, r.Reason, 1, problems.Problem{EventType: r.EventType, Detail: r.Detail})
	}
	refused := &eventlog.Refused{Total: req.len(), Records: req.refused}
	if len(req.refused) == refused.Total {
		return refused
	}
	err := o.canonical.consumeLogs(ctx, req.logs)
	if later := eventlog.RefusedAlone(err); err == nil || later != nil {
		return refused.Merge(later)
	}
	return err
}

// canonicalBytes is about what the canonical form adds to a record, at most: the id and the event
// type.
const canonicalBytes = 250

// decode checks a request before it decodes it, and reserves the memory that its decoded form takes
// until b is closed.
func (o *otlp) decode(enc *encoding, b *body.Body) (req decoded, refused *refusal) {
	size, err := enc.measure(b.Bytes(), o.maxEvents)
	switch {
	case errors.Is(err, measure.ErrTooMany):
		return req, o.tooMany()
	case errors.Is(err, measure.ErrTooDeep):
		return req, newRefusal(http.StatusBadRequest, codes.InvalidArgument, reasonTooDeep,
			"too_deep: values are nested more than %d levels deep, so that the request is not decoded", measure.MaxNesting)
	case err != nil:
		return req, malformed(enc, err)
	}
	size.Bytes += int64(size.Records) * canonicalBytes
	if err := b.Memory.Grow(size.Bytes); err != nil {
		return req, o.refusalOf(err)
	}
	if req, err = enc.decode(b.Bytes()); err != nil {
		return req, malformed(enc, err)
	}
	b.Drop()
	return req, nil
}

func malformed(enc *encoding, err error) *refusal {
	return newRefusal(http.StatusBadRequest, codes.InvalidArgument, reasonMalformed, "the body is not an ExportLogsServiceRequest in %s: %v", enc.name, err)
}
