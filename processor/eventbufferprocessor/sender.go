package eventbufferprocessor

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/registry"
)

const (
	// firstRetry is when a batch is tried again after its first failure, about; then the time
	// doubles.
	firstRetry = 100 * time.Millisecond
	// maxRetry is the longest time between two tries, about.
	maxRetry = 5 * time.Second
)

// sender passes on what is buffered, one batch after the other, so that events leave in the order
// in which they were answered: a batch that fails for now stays at the head until it is through.
type sender struct {
	buffer    *buffer
	sink      consumer.Logs
	component *registry.Component
	maxEvents int
	log       *zap.Logger
	host      component.Host

	cancel context.CancelFunc
	done   chan struct{} // closed at the end of run
	unsent int           // events given up because of cancel; valid after done
}

// start begins to send, until the buffer is closed and empty.
func (s *sender) start(host component.Host) {
	ctx, cancel := context.WithCancel(context.Background())
	s.host, s.cancel, s.done = host, cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
}

// run sends until the buffer is closed and empty. After ctx is done each batch fails at its first
// failure.
func (s *sender) run(ctx context.Context) {
	for {
		batch, ok := s.buffer.next(s.maxEvents)
		if !ok {
			return
		}
		s.send(ctx, batch)
	}
}

// send returns when the batch was taken, failed permanently, or failed and ctx is done.
func (s *sender) send(ctx context.Context, batch chunk) {
	failed := batch.events // also where the sink panics
	defer func() { s.buffer.settle(batch.events, failed) }()

	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.Multiplier, wait.MaxInterval = firstRetry, 2, maxRetry
	retrying := false
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := eventlog.Consume(s.component.Mark(eventlog.WithInspected(ctx)), s.sink, s.data(batch.ld))
		if consumererror.IsPermanent(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		if !retrying {
			retrying = true
			s.log.Warn("Events cannot be passed on for now; trying again until it works", zap.Error(err), zap.Int("events", batch.events))
			componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(err))
		}
	}))
	failed = failures(err, batch.events)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		s.unsent += failed // said once for all, by who cancelled
	default:
		s.log.Error("The next component does not take events that were answered", zap.Error(err), zap.Int("failed_events", failed))
	}
	if retrying && ctx.Err() == nil {
		s.log.Info("The next component answers again")
		componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// data is what the sink may have: a copy, where it would change what has to be sent again if it
// fails.
func (s *sender) data(ld plog.Logs) plog.Logs {
	if !s.sink.Capabilities().MutatesData {
		return ld
	}
	own := plog.NewLogs()
	ld.CopyTo(own)
	return own
}

// failures says how many of the events that the next component answered with err it did not take.
func failures(err error, events int) int {
	if err == nil {
		return 0
	}
	if refused := eventlog.RefusedAlone(err); refused != nil {
		return min(len(refused.Records), events)
	}
	return events
}
