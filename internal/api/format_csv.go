package api

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// csvColumns are the columns of a table where the request names none.
var csvColumns = []string{"event_id", "timestamp", "event_type", "source", "data", "metadata"}

// csvFormat is a table with a header row (RFC 4180).
var csvFormat = pageFormat{
	media:    media{name: "csv", contentType: "text/csv", aliases: []string{"application/csv"}},
	about:    "a table with a header row",
	maxBytes: maxPageBytes,
	joins:    true,
	parameters: []parameter{{
		Name: "columns",
		Description: "columns of format=csv, a list with commas (default " + strings.Join(csvColumns, ",") +
			"): these, cursor, and values such as data.user.id or metadata.severity",
		repeatable: true,
	}},
	writer: func(p *params) pageWriter {
		w := &csvWriter{columns: csvColumns}
		if p.has("columns") {
			w.columns = p.list("columns")
		}
		for _, column := range w.columns {
			if !isColumn(column) {
				p.fail("columns", "columns has %q, but a column is %s, cursor, data.<key> or metadata.<key>",
					column, strings.Join(csvColumns, ", "))
			}
		}
		w.rows = csv.NewWriter(&w.row)
		return w
	},
}

func isColumn(name string) bool {
	key, data := strings.CutPrefix(name, "data.")
	if !data {
		key, data = strings.CutPrefix(name, "metadata.")
	}
	return data && key != "" || name == "cursor" || slices.Contains(csvColumns, name)
}

// csvWriter writes rows. Every field of a row is text: the library quotes it where it has to.
type csvWriter struct {
	columns []string
	fields  []string
	row     bytes.Buffer
	rows    *csv.Writer
	started bool // the header row is written
}

func (w *csvWriter) head(dst []byte, _ *pageEnd) []byte {
	if w.started {
		return dst
	}
	w.started = true
	return w.append(dst, w.columns)
}

func (w *csvWriter) event(dst []byte, e *store.Entry, _ int, _ *wire.JSONEncoder) []byte {
	ev := e.Ref().Event()
	w.fields = w.fields[:0]
	for _, column := range w.columns {
		w.fields = append(w.fields, fieldOf(column, e, &ev))
	}
	return w.append(dst, w.fields)
}

func (w *csvWriter) tail(dst []byte, _ *pageEnd) []byte { return dst }

// append appends a row. RFC 4180 ends it with CRLF; csv.Writer.UseCRLF would also change the line
// feeds within fields.
func (w *csvWriter) append(dst []byte, fields []string) []byte {
	w.row.Reset()
	_ = w.rows.Write(fields) // a bytes.Buffer takes everything
	w.rows.Flush()
	return append(append(dst, bytes.TrimSuffix(w.row.Bytes(), []byte("\n"))...), "\r\n"...)
}

func fieldOf(column string, e *store.Entry, ev *event.Event) string {
	switch column {
	case "cursor":
		return e.Cursor.String()
	case "event_id":
		return plainText(ev.EventID)
	case "timestamp":
		return ev.Timestamp.UTC().Format(time.RFC3339Nano)
	case "event_type":
		return plainText(ev.EventType)
	case "source":
		return plainText(ev.Source)
	case "data":
		return string(event.AppendValue(nil, ev.Data))
	case "metadata":
		return string(event.AppendValue(nil, ev.Metadata))
	}
	if key, ok := strings.CutPrefix(column, "metadata."); ok {
		return valueText(ev.Metadata[key])
	}
	v, ok := e.Ref().Data(strings.TrimPrefix(column, "data."))
	if !ok {
		return ""
	}
	return valueText(v.AsRaw())
}

// valueText is a value as a field: text as it is, nothing for null, and all else as in JSON.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return plainText(v)
	}
	value := pcommon.NewValueEmpty()
	if value.FromRaw(v) == nil {
		if text, ok := eventlog.ScalarText(value); ok {
			return text
		}
	}
	return string(event.AppendValue(nil, v))
}

// plainText is text that spreadsheets do not take for a formula: an apostrophe stands before it
// where it starts like one (OWASP, CSV injection).
func plainText(s string) string {
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		return "'" + s
	}
	return s
}
