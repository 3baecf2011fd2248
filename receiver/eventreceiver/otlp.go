package eventreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"google.golang.org/grpc/codes"

	"github.com/isbl/telemetry/internal/eventjson"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/body"
	"github.com/isbl/telemetry/receiver/eventreceiver/internal/measure"
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
	decode    func(req plogotlp.ExportRequest, body []byte) error
	encode    func(plogotlp.ExportResponse) ([]byte, error)
}

var (
	protobuf = &encoding{"protobuf", "application/x-protobuf", measure.Proto, plogotlp.ExportRequest.UnmarshalProto, plogotlp.ExportResponse.MarshalProto}
	jsonText = &encoding{"json", typeJSON, measureJSON, decodeJSON, plogotlp.ExportResponse.MarshalJSON}
	// jsonLines are requests in JSON, one a line, as the Collector's file exporter writes them.
	jsonLines = &encoding{"ndjson", typeJSON, measureLines, decodeLines, plogotlp.ExportResponse.MarshalJSON}
)

// withoutBOM skips the byte order mark that some programs write before a text.
func withoutBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) }

func decodeJSON(req plogotlp.ExportRequest, text []byte) error {
	return req.UnmarshalJSON(withoutBOM(text))
}

// measureJSON refuses text behind the request, of which the decoder would take no notice.
func measureJSON(text []byte, maxRecords int) (measure.Size, error) {
	text = withoutBOM(text)
	size, err := measure.JSON(text, maxRecords)
	if err == nil && size.End > 0 && len(bytes.Trim(text[size.End:], " \t\r\n")) > 0 {
		err = fmt.Errorf("there is text behind the first object, at byte %d: send several requests in lines, as %s", size.End, typeLines)
	}
	return size, err
}

func decodeLines(req plogotlp.ExportRequest, text []byte) (err error) {
	eventjson.Lines(withoutBOM(text), func(line []byte) {
		one := plogotlp.NewExportRequest()
		if err == nil {
			err = one.UnmarshalJSON(line)
		}
		one.Logs().ResourceLogs().MoveAndAppendTo(req.Logs().ResourceLogs())
	})
	return err
}

func measureLines(text []byte, maxRecords int) (all measure.Size, err error) {
	eventjson.Lines(withoutBOM(text), func(line []byte) {
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
	req, refused := o.decode(enc, b)
	if refused != nil {
		o.count(ctx, refused)
		return resp, refused
	}
	ld := req.Logs()
	records := ld.LogRecordCount()
	if records == 0 {
		return resp, nil
	}
	op := o.report.StartLogsOp(ctx)
	err := o.canonical.consumeLogs(op, ld)
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

// canonicalBytes is about what the canonical form adds to a record, at most: the id and the event
// type.
const canonicalBytes = 250

// decode checks a request before it decodes it, and reserves the memory that its decoded form takes
// until b is closed.
func (o *otlp) decode(enc *encoding, b *body.Body) (plogotlp.ExportRequest, *refusal) {
	req := plogotlp.NewExportRequest()
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
	if err := enc.decode(req, b.Bytes()); err != nil {
		return req, malformed(enc, err)
	}
	b.Drop()
	return req, nil
}

func malformed(enc *encoding, err error) *refusal {
	return newRefusal(http.StatusBadRequest, codes.InvalidArgument, reasonMalformed, "the body is not an ExportLogsServiceRequest in %s: %v", enc.name, err)
}
