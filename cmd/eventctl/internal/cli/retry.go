package cli

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/isbl/telemetry/client"
)

// givesUp is how long in a row get, export and import try before they end: what waits for them
// wants to know.
const givesUp = 2 * time.Minute

// retry makes calls until they succeed, and says so. A server that was never reached is an error at
// once: more likely the command line is wrong than the server away.
type retry struct {
	app     *app
	forever bool // else until givesUp is over
	worked  bool // some call was answered
	waits   *backoff.ExponentialBackOff
	since   time.Time // of the first failure in a row
}

func (a *app) newRetry(forever bool) *retry {
	r := &retry{app: a, forever: forever, waits: backoff.NewExponentialBackOff()}
	r.waits.InitialInterval, r.waits.Multiplier, r.waits.MaxInterval = 250*time.Millisecond, 2, 10*time.Second
	return r
}

// ok notes that a call succeeded.
func (r *retry) ok() {
	if !r.since.IsZero() {
		r.app.say("the server answers again")
	}
	r.worked, r.since = true, time.Time{}
	r.waits.Reset()
}

// again waits for the time to try again after err, and returns nil then. It returns an error when
// that is no use.
func (r *retry) again(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var busy *client.Problem
	if !client.Retryable(err) || !r.worked && !errors.As(err, &busy) {
		return err
	}
	if r.since.IsZero() {
		r.since = time.Now()
	}
	if !r.forever && time.Since(r.since) > givesUp {
		return err
	}
	wait := r.waits.NextBackOff()
	if errors.As(err, &busy) {
		wait = max(wait, busy.RetryAfter)
	}
	r.app.say("%v; trying again in %gs", err, math.Ceil(wait.Seconds()*10)/10)
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// do makes one call until it succeeds.
func (r *retry) do(ctx context.Context, call func() error) error {
	for {
		err := call()
		if err == nil {
			r.ok()
			return nil
		}
		if err := r.again(ctx, err); err != nil {
			return err
		}
	}
}
