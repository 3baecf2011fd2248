package api

import (
	"strconv"

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
	parameters: []parameter{{
		Name: "end",
		Description: `1: format=ndjson ends with a line {"next": "<cursor>", "more": false, "count": 3}; ` +
			"without it the answer is not whole, whatever protocols and proxies lie between",
	}},
	writer: func(p *params) pageWriter { return &ndjsonWriter{end: p.choice("end", "0", "1") == "1"} },
}

type ndjsonWriter struct {
	end   bool // write the line at the end
	count int  // events of the whole answer
}

// showsEnd says whether a reader sees from the body alone that it is whole.
func (w *ndjsonWriter) showsEnd() bool { return w.end }

func (w *ndjsonWriter) event(dst []byte, e *store.Entry, _ int, encoder *wire.JSONEncoder) []byte {
	w.count++
	return append(e.AppendJSON(dst, encoder), '\n')
}

func (*ndjsonWriter) head(dst []byte, end *pageEnd) []byte {
	if end.gap == nil {
		return dst
	}
	return appendGapLine(dst, end.gap)
}

func (w *ndjsonWriter) tail(dst []byte, end *pageEnd) []byte {
	if !w.end {
		return dst
	}
	if end.batch == nil {
		dst = append(append(append(dst, `{"next":"`...), end.next.String()...), '"')
	} else {
		dst = append(dst, `{"next":null`...) // the lease is in the headers
	}
	dst = strconv.AppendBool(append(dst, `,"more":`...), end.more)
	dst = strconv.AppendInt(append(dst, `,"count":`...), int64(w.count), 10)
	return append(dst, "}\n"...)
}

// appendGapLine appends a gap as a line.
func appendGapLine(dst []byte, gap *store.Gap) []byte {
	return append(append(append(dst, `{"gap":`...), compact(gap)...), "}\n"...)
}
