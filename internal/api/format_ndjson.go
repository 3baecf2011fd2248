package api

import (
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// ndjsonFormat is one event per line. A gap is a line before them.
var ndjsonFormat = pageFormat{
	media: media{
		name: "ndjson", contentType: "application/x-ndjson",
		aliases: []string{"application/ndjson", "application/jsonl", "application/x-jsonl"},
	},
	about:    "one event per line",
	maxBytes: maxPageBytes,
	joins:    true,
	writer:   func(*params) pageWriter { return ndjsonWriter{} },
}

type ndjsonWriter struct{}

func (ndjsonWriter) event(dst []byte, e *store.Entry, _ int, encoder *wire.JSONEncoder) []byte {
	return append(e.AppendJSON(dst, encoder), '\n')
}

func (ndjsonWriter) head(dst []byte, end *pageEnd) []byte {
	if end.gap == nil {
		return dst
	}
	return appendGapLine(dst, end.gap)
}

func (ndjsonWriter) tail(dst []byte, _ *pageEnd) []byte { return dst }

// appendGapLine appends a gap as a line.
func appendGapLine(dst []byte, gap *store.Gap) []byte {
	return append(append(append(dst, `{"gap":`...), compact(gap)...), "}\n"...)
}
