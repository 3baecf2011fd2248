// Package api serves what a store keeps over HTTP: pages of events, live streams,
// consumers, and statistics.
// GET / lists the calls.
package api

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/store"
)

const (
	prefix      = "/api/v1"
	contentJSON = "application/json"
	// defaultBatchSize is how many events a page holds when nobody says.
	defaultBatchSize = 10
)

// Options say what a Handler serves.
type Options struct {
	// Store is read; the Handler does not close it. Required.
	Store *store.Store
	// SourceID names this instance in the statistics.
	SourceID string
	// BatchSize is how many events a page holds when the request does not say, at most
	// 10 000. Zero is 10.
	BatchSize int
	// Started is when this instance started. Zero is now.
	Started time.Time
	// Buffers reads the event buffers of this process; nil where there are none. It is
	// called from many goroutines.
	Buffers func() []buffers.Snapshot
	// MaxScan is how many events an aggregate may look at. Zero is DefaultMaxScan.
	MaxScan uint64
	// Problems reads what the components of this process refused; nil where nobody knows. It is called from many goroutines,
	// and its result is the Handler's.
	Problems func() []problems.Report
	// Heartbeat is how long a stream is silent at most. Zero is 15 s.
	Heartbeat time.Duration
	// Logger is told of what goes wrong; nil keeps quiet.
	Logger *zap.Logger
}

// Handler is the HTTP API of a store. It is safe for concurrent use.
type Handler struct {
	opts   Options
	calls  []call // what GET / lists
	routes []call // all of them
	rate   rate
	news   *news

	consumers *consumer.Consumers

	closing context.Context // done once Close is called
	stop    context.CancelFunc
	wg      sync.WaitGroup
}

// New returns a Handler. Close it before its store.
func New(opts Options) *Handler {
	if opts.BatchSize == 0 {
		opts.BatchSize = defaultBatchSize
	}
	if opts.MaxScan == 0 {
		opts.MaxScan = DefaultMaxScan
	}
	if opts.Heartbeat == 0 {
		opts.Heartbeat = heartbeatEvery
	}
	if opts.Started.IsZero() {
		opts.Started = time.Now()
	}
	if opts.Logger == nil {
		opts.Logger = zap.NewNop()
	}
	h := &Handler{opts: opts, news: &news{store: opts.Store, topics: map[string]*topic{}}}
	h.closing, h.stop = context.WithCancel(context.Background())
	h.consumers = consumer.New(opts.Store)
	h.calls = append([]call{h.eventsCall(), h.streamCall(), h.countsCall(), h.aggregateCall(), h.statsCall(), h.problemsCall(), h.openAPICall()}, h.consumerCalls()...)
	h.routes = append([]call{h.indexCall("/"), h.indexCall(prefix)}, h.calls...)
	h.wg.Go(h.sampleRate)
	h.wg.Go(func() { h.news.run(h.closing) })
	return h
}

// Close ends the streams, and the requests that wait for events, with what they have, and returns when
// nothing of the Handler itself runs any more. Requests are answered after it too, but
// never wait. Calling it again does nothing.
func (h *Handler) Close() {
	h.stop()
	h.consumers.Close()
	h.wg.Wait()
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setCommonHeaders(w)
	if p := h.serve(w, r); p != nil {
		p.write(w, r)
	}
}

// setCommonHeaders sets what every answer has.
func setCommonHeaders(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

// serve answers a request, or returns what is wrong with it before anything was
// written.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) *problem {
	c, p := h.find(r)
	if p != nil {
		return p
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("", "the query is malformed: %v", err)
	}
	if p := c.check(values); p != nil {
		return p
	}
	return c.serve(w, r, values)
}
