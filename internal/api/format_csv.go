package api

import (
	"bytes"
	"encoding/csv"
	"strings"

	"github.com/isbl/telemetry/internal/column"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// csvFormat is a table with a header row (RFC 4180).
var csvFormat = pageFormat{
	media:    media{name: "csv", contentType: "text/csv", aliases: []string{"application/csv"}},
	about:    "a table with a header row",
	maxBytes: maxPageBytes,
	joins:    true,
	parameters: []parameter{{
		Name: "columns",
		Description: "columns of format=csv, a list with commas (default " + strings.Join(column.Default, ",") +
			"): these, severity, cursor, and values such as data.user.id or metadata.scope",
		repeatable: true,
	}},
	writer: func(p *params) pageWriter {
		w := &csvWriter{columns: column.Default}
		if p.has("columns") {
			w.columns = p.list("columns")
		}
		for _, name := range w.columns {
			if !column.Valid(name) {
				p.fail("columns", "columns has %q, but a column is %s", name, column.Syntax)
			}
		}
		w.rows = csv.NewWriter(&w.row)
		return w
	},
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
	cursor := e.Cursor.String()
	for _, name := range w.columns {
		w.fields = append(w.fields, column.Field(column.Of(&ev, cursor, name)))
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
