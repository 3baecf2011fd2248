// Package compress sends HTTP answers compressed to clients that ask for it, streams included.
package compress

import (
	"net/http"
	"strconv"
	"strings"
)

// minBytes is the size from which an answer is compressed: smaller ones fit into a packet.
const minBytes = 1024

// Writer compresses an answer where its client takes that, and where it pays: not when the answer
// is small, nor when it is a stream of Server-Sent Events, which are for viewers that want each
// event at once, and whose libraries and proxies often gather compressed ones. Flush sends all that
// was written, so lines arrive as they are written. Without memory for it the answer is as it is.
//
// It is for one goroutine. Close it when the answer is written.
type Writer struct {
	http.ResponseWriter

	head    bool
	offered *encoding // what the client likes best; nil for none
	room    room
	begun   bool
	encoder encoder // nil where the answer is as it is
}

// NewWriter returns a Writer of the answer to r.
func (m *Memory) NewWriter(w http.ResponseWriter, r *http.Request) *Writer {
	writer := &Writer{ResponseWriter: w, head: r.Method == http.MethodHead, offered: negotiate(r.Header.Values("Accept-Encoding"))}
	writer.room.answers.Use(m.answers)
	writer.room.encoders.Use(m.encoders)
	return writer
}

// WriteHeader begins the answer.
func (w *Writer) WriteHeader(status int) {
	if !w.begun && status >= http.StatusOK {
		w.begun = true
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// begin decides whether the answer is compressed, and says so in its header.
func (w *Writer) begin(status int) {
	header := w.Header()
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	length, err := strconv.Atoi(header.Get("Content-Length"))
	switch {
	case status == http.StatusNoContent, status == http.StatusNotModified, kind == "text/event-stream", header.Get("Content-Encoding") != "":
		return
	case err == nil && length < minBytes:
		return
	}
	header.Add("Vary", "Accept-Encoding")
	if w.offered == nil {
		return
	}
	if !w.head {
		if w.encoder = w.offered.take(&w.room, w.ResponseWriter); w.encoder == nil {
			return
		}
	}
	header.Set("Content-Encoding", w.offered.name)
	header.Del("Content-Length")
}

func (w *Writer) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.encoder == nil {
		return w.ResponseWriter.Write(p)
	}
	return w.encoder.Write(p)
}

// FlushError sends what was written, to the last byte.
func (w *Writer) FlushError() error {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.encoder != nil {
		if err := w.encoder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach what is below.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Close ends what is compressed, and gives its memory back.
func (w *Writer) Close() {
	if w.head && !w.begun { // net/http begins it
		w.begin(http.StatusOK)
	}
	if w.encoder != nil {
		_ = w.encoder.Close() // the client may be gone
		w.offered.give(w.encoder)
		w.encoder = nil
	}
	w.room.release()
}
