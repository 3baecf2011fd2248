package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

const (
	// fetchWait is how long a fetch waits for events.
	fetchWait = 30 * time.Second
	// ackGrace is how long acknowledging may take after an interrupt.
	ackGrace = 10 * time.Second
	// endGrace is how long a command may take to end when it is told to, and its pipes may stay
	// open behind it, in what it left running.
	endGrace = 5 * time.Second
)

var errLeaseLost = errors.New("the lease was lost: somebody else has the batch now; a longer ack_wait of the consumer helps")

// handled counts events.
type handled struct{ acknowledged, returned atomic.Uint64 }

// work is what workers have in common.
type work struct {
	consumer, command, delay string
	batch                    int
	once                     bool
	handled                  handled
	// hurry is done when commands must not be waited for any more.
	hurry context.Context
}

// worker runs commands, one at a time.
type worker struct {
	*work
	app   *app
	retry *retry
	waits *backoff.ExponentialBackOff // between batches that are given back
}

func (a *app) newWorker(w *work) *worker {
	own := &worker{work: w, app: a, retry: a.newRetry(true), waits: backoff.NewExponentialBackOff()}
	own.waits.InitialInterval, own.waits.Multiplier, own.waits.MaxInterval = time.Second, 2, time.Minute
	return own
}

// run takes batches until ctx is done, or, where it runs once, until there is none now.
func (w *worker) run(ctx context.Context) error {
	wait := fetchWait
	if w.once {
		wait = 0
	}
	for ctx.Err() == nil {
		asked := time.Now()
		var batch *client.Batch
		err := w.retry.do(ctx, func() (err error) {
			batch, err = w.app.client.Fetch(ctx, w.consumer, w.batch, wait)
			return err
		})
		if ctx.Err() != nil && batch == nil {
			return nil
		}
		if err != nil {
			return err
		}
		w.app.whereErrors(batch.WhereErrors)
		if batch.Gap != nil {
			w.app.say("%s", show.Gap(batch.Gap))
		}
		switch {
		case len(batch.Events) > 0:
			if err := w.handle(ctx, batch); err != nil {
				return err
			}
		case w.once:
			return nil
		case time.Since(asked) < 100*time.Millisecond: // a server that is about to stop does not wait
			pause(ctx, time.Second)
		}
	}
	return nil
}

// exitTemporary is EX_TEMPFAIL of sysexits.h: the command cannot do its work now.
const exitTemporary = 75

// notTheEvents says whether a command failed for a reason that no event of its batch is to blame
// for: it said so, as eventctl itself does where the server does not answer, could not be run, or
// was ended with eventctl.
func (w *worker) notTheEvents(err error) (blameless, temporary bool) {
	var exit *exec.ExitError
	if err == nil {
		return false, false
	}
	if !errors.As(err, &exit) || w.hurry.Err() != nil {
		return true, false
	}
	switch exit.ExitCode() {
	case exitTemporary, exitNoAnswer:
		return true, true
	case 126, 127:
		return true, false
	}
	return false, false
}

// handle runs the command for a batch, and tells the server how it went. The end of ctx does not
// end the command, whose work would be in vain.
func (w *worker) handle(ctx context.Context, batch *client.Batch) error {
	commandCtx, cancel := context.WithCancelCause(w.hurry)
	var extending sync.WaitGroup
	extending.Go(func() { w.extend(commandCtx, cancel, batch) })
	said := new(lastLine)
	err := w.execute(commandCtx, batch, said)
	lost := errors.Is(context.Cause(commandCtx), errLeaseLost)
	cancel(nil)
	extending.Wait()
	if lost {
		w.app.say("%v", errLeaseLost)
		return nil
	}

	ack := client.Ack{Lease: batch.Lease}
	blameless, temporary := w.notTheEvents(err)
	switch {
	case blameless:
		ack.GiveBack = true
	case err != nil:
		ack.Delay, ack.Reason = w.delay, reasonOf(err, said)
		for _, e := range batch.Events {
			ack.Failed = append(ack.Failed, e.Cursor)
		}
	}
	acked, ackErr := w.ack(ctx, ack)
	var problem *client.Problem
	switch {
	case errors.As(ackErr, &problem) && problem.Reason == client.LeaseLost:
		w.app.say("%v", errLeaseLost)
	case ackErr != nil:
		return fmt.Errorf("the outcome of a batch could not be told, so it comes again: %w", ackErr)
	default:
		w.handled.acknowledged.Add(acked.Acknowledged)
		w.handled.returned.Add(acked.Returned + acked.Dead)
		switch {
		case blameless:
			w.app.say("the command cannot do its work (%v): %s given back", err, plural(acked.Returned, "event"))
		case err != nil:
			w.app.say("the command failed (%v), delivery %d: %s returned, %d of them for good, as dead letters",
				err, batch.Deliveries, plural(acked.Returned+acked.Dead, "event"), acked.Dead)
		}
	}
	switch {
	case temporary && w.once:
		return fmt.Errorf("the command cannot do its work now: %w", err)
	case temporary:
		pause(ctx, w.waits.NextBackOff())
		return nil
	case blameless && w.hurry.Err() == nil:
		return fmt.Errorf("the command cannot be run: %w", err) // no batch would fare better
	}
	w.waits.Reset()
	return nil
}

func (w *worker) execute(ctx context.Context, batch *client.Batch, said *lastLine) error {
	var events bytes.Buffer
	for _, e := range batch.Events {
		events.Write(e.Raw)
		events.WriteByte('\n')
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", w.command) // #nosec G204: what the user asked for
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &events, w.app.stdout, io.MultiWriter(w.app.stderr, said)
	cmd.WaitDelay = endGrace
	ownGroup(cmd)
	cmd.Env = append(os.Environ(), "EVENTCTL_CONSUMER="+w.consumer, fmt.Sprint("EVENTCTL_DELIVERIES=", batch.Deliveries))
	return cmd.Run()
}

// extend keeps the lease until ctx is done, and cancels it when the lease is lost.
func (w *worker) extend(ctx context.Context, cancel context.CancelCauseFunc, batch *client.Batch) {
	for deadline := batch.Deadline; ; {
		pause(ctx, max(time.Until(deadline)/3, time.Second/2)) // time for two more attempts
		if ctx.Err() != nil {
			return
		}
		next, err := w.app.client.Extend(ctx, w.consumer, batch.Lease)
		var problem *client.Problem
		switch {
		case err == nil:
			deadline = next
		case errors.As(err, &problem) && problem.Reason == client.LeaseLost:
			cancel(errLeaseLost)
			return
		}
	}
}

// ack is tried for a while after an interrupt too.
func (w *worker) ack(ctx context.Context, ack client.Ack) (acked *client.Acked, err error) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(ackGrace, cancel) })()
	retry := w.app.newRetry(false)
	retry.worked = true // the server handed the batch out
	err = retry.do(late, func() (err error) {
		acked, err = w.app.client.Ack(late, w.consumer, ack)
		return err
	})
	return acked, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
