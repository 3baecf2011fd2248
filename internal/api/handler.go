// Package api serves a store over HTTP: pages of events, live streams, consumers and statistics.
// GET / lists the calls.
package api

import (
	"context"
	"iter"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/catalogue"
	"github.com/isbl/telemetry/internal/compress"
	"github.com/isbl/telemetry/internal/consumer"
	"github.com/isbl/telemetry/internal/problems"
	"github.com/isbl/telemetry/internal/promapi"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/store"
)

const (
	prefix      = "/api/v1"
	contentJSON = "application/json"
	// defaultBatchSize is how many events a page holds when neither the configuration nor the
	// request says.
	defaultBatchSize = 10
)

// Options of a Handler.
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
	// Receivers reads the event receivers of this process; nil where there are none. It is called
	// from many goroutines, and its result is the Handler's.
	Receivers func() []receivers.Receiver
	// MaxScan is how many events an aggregate may look at. Zero is DefaultMaxScan.
	MaxScan uint64
	// Problems reads what the components of this process refused; nil where there are none. It
	// is called from many goroutines, and its result is the Handler's.
	Problems func() []problems.Report
	// OnAnswer, if set, is told of each answer when it begins: the path of the call, or OtherRoute.
	// It is called from many goroutines, and must return quickly.
	OnAnswer func(route, method string, status int)
	// Answers is the memory that pages in the making and pages that nobody reads may take together.
	// Nil is half of that of the process's requests.
	Answers *budget.Budget
	// Series answers PromQL. Nil makes one over the store.
	Series *series.Engine
	// Rules tell of alert rules; nil has none.
	Rules promapi.Rules
	// Heartbeat is the longest time in which a stream sends nothing. Zero is 15 s.
	Heartbeat time.Duration
	// Logger logs what fails; nil logs nothing.
	Logger *zap.Logger
}

// Handler is the HTTP API of a store. It is safe for concurrent use.
type Handler struct {
	opts  Options
	calls []call // what GET / lists
	mux   *http.ServeMux
	rate  rate
	news  *news
	// scans has room for each answer that looks at many events.
	scans chan struct{}
	// compressing is what compressed answers may take.
	compressing *compress.Memory
	// maxQueued is how long others wait for them.
	maxQueued time.Duration
	// maxCounting is after what time counts are given as far as they are.
	maxCounting time.Duration

	consumers *consumer.Consumers
	types     *catalogue.Catalogue

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
	if opts.Answers == nil {
		opts.Answers = budget.New(max(budget.Process().Limit()/2, 1))
	}
	if opts.Series == nil {
		opts.Series = series.New(series.Options{Store: opts.Store, MaxScan: opts.MaxScan, Budget: opts.Answers})
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
	h := &Handler{
		opts: opts, news: &news{store: opts.Store, topics: map[string]*topic{}},
		scans:       make(chan struct{}, maxScans),
		compressing: compress.NewMemory(opts.Answers),
		maxQueued:   5 * time.Second,
		maxCounting: 18 * time.Second,
	}
	h.closing, h.stop = context.WithCancel(context.Background())
	h.consumers = consumer.New(opts.Store)
	h.types = catalogue.New(h.readType)
	h.calls = append([]call{
		h.eventsCall(), h.streamCall(), h.countsCall(), h.aggregateCall(), h.facetsCall(), h.eventTypesCall(),
		h.statsCall(), h.problemsCall(), h.testEventCall(), h.openAPICall(),
	}, h.consumerCalls()...)
	h.mux = h.newMux(h.routes())
	h.mux.Handle(promapi.Prefix, h.prometheus())
	h.wg.Go(h.sampleRate)
	h.wg.Go(func() { h.news.run(h.closing) })
	return h
}

// routes returns all calls, the index included.
func (h *Handler) routes() []call {
	return append([]call{h.indexCall("/"), h.indexCall(prefix)}, h.calls...)
}

// Calls goes through all calls of the API, by the names that Options.OnAnswer is told.
func (h *Handler) Calls() iter.Seq2[string, string] {
	return func(yield func(route, method string) bool) {
		for _, c := range h.routes() {
			if !yield(c.Path, c.Method) {
				return
			}
		}
	}
}

// Close ends the streams, answers the requests that wait for events with what they have, and
// returns when the Handler's own goroutines have ended. Later requests are answered too, but
// never wait. Calling it again does nothing.
func (h *Handler) Close() {
	h.stop()
	h.consumers.Close()
	h.wg.Wait()
}

// setCommonHeaders sets what every answer has.
func setCommonHeaders(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}
