package api

import (
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// maxRequestBytes is the size of an OTLP page: what receivers take at once by default.
const maxRequestBytes = 4 << 20

// otlpFormat is a request of OTLP/HTTP: posted to a receiver, it is a replay. The events of
// requests one after the other are those of one request.
var otlpFormat = pageFormat{
	media: media{
		name: "otlp", contentType: "application/x-protobuf", aliases: []string{"application/protobuf"},
	},
	about:    "a request to post to an OTLP receiver",
	maxBytes: maxRequestBytes,
	exact:    true,
	joins:    true,
	blocks:   true,
	writer:   func(*params) pageWriter { return otlpWriter{} },
}

type otlpWriter struct{}

func (otlpWriter) event(dst []byte, e *store.Entry, _ int, _ *wire.JSONEncoder) []byte {
	return e.Record().AppendOTLP(dst)
}

func (otlpWriter) head(dst []byte, _ *pageEnd) []byte { return dst }
func (otlpWriter) tail(dst []byte, _ *pageEnd) []byte { return dst }
