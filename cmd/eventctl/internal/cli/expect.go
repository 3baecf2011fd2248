package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/internal/filter"
)

// maxPoll is how long one request of expect waits.
const maxPoll = 30 * time.Second

func (a *app) expectCommand() *cobra.Command {
	e := expectation{app: a}
	cmd := &cobra.Command{
		Use:   "expect",
		Short: "Wait for events, and fail when they do not come: for tests in any language",
		Long: `Wait until so many events have come, and print them. When they do not come in time, say what came instead, and exit with 1; with 3
when the server could not be asked. --absent expects that none comes (--count 0 is the same), and waits the whole time. --timeout 0
looks once at what is there.

Events that are in the store already count, unless --from or --since leave them out.`,
		Example: `  eventctl expect --event-type user.login --count 3 --timeout 10s
  eventctl expect --event-type order.placed --data order=1042 --since 1m
  eventctl expect --event-type 'alert.*' --absent --timeout 5s --from now
  eventctl expect --event-type backup.done --since 24h --timeout 0`,
		Args: noArguments,
	}
	choice, printer := a.addFilter(cmd), a.addPrinter(cmd, false)
	flags := cmd.Flags()
	var absent bool
	flags.IntVar(&e.count, "count", 1, "how many events, at least; 0 for none at all")
	flags.BoolVar(&absent, "absent", false, "expect that no event comes")
	flags.DurationVar(&e.timeout, "timeout", 10*time.Second, "how long to wait for them; 0 to look once")
	flags.StringVar(&e.from, "from", "start", "where to start: start, now, a time in order of arrival (as --since), or a cursor")
	cmd.MarkFlagsMutuallyExclusive("count", "absent")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if absent {
			e.count = 0
		}
		var err error
		switch e.filter, err = choice.fixed(); {
		case err != nil:
			return err
		case e.count < 0:
			return usagef("--count is %d, but must not be negative", e.count)
		case e.timeout < 0:
			return usagef("--timeout is %v, but must not be negative", e.timeout)
		}
		e.from = filter.FixTime(e.from, time.Now())
		e.printer = printer
		return e.check(cmd.Context())
	}
	return cmd
}

// expectation is what should come.
type expectation struct {
	app     *app
	filter  client.Filter
	count   int
	timeout time.Duration
	from    string
	printer *printer
	came    int
}

// check waits for the events. The error says what came instead.
func (e *expectation) check(ctx context.Context) error {
	err := e.look(ctx)
	met := e.came >= e.count
	if e.count == 0 {
		met = e.came == 0 && errors.Is(err, context.DeadlineExceeded)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case met:
		return e.printer.end()
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return e.explain(ctx)
}

// look reads events until there are enough or the time is over. The error is then
// context.DeadlineExceeded.
func (e *expectation) look(ctx context.Context) error {
	if e.timeout == 0 {
		return e.once(ctx)
	}
	inTime, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	return e.wait(inTime)
}

// once reads what is there.
func (e *expectation) once(ctx context.Context) error {
	q := client.Query{Filter: e.filter, From: e.from}
	for {
		q.Limit = max(1, min(e.count-e.came, pageEvents))
		page, err := e.app.client.Events(ctx, q)
		if err != nil {
			return err
		}
		if err := e.take(page); err != nil {
			return err
		}
		switch {
		case e.came > 0 && e.came >= e.count:
			return nil
		case !page.More:
			return context.DeadlineExceeded
		}
		q.After, q.From = page.Next, ""
	}
}

// wait reads events until there are enough or ctx is done. A server that is away may still be
// starting, and is asked again; when it never answered, the error says so.
func (e *expectation) wait(ctx context.Context) error {
	q := client.Query{Filter: e.filter, From: e.from}
	if e.from == "now" { // what now is must not change with each request
		q = client.Query{From: "now"}
	}
	answered := false
	for {
		deadline, _ := ctx.Deadline()
		q.Limit = max(1, min(e.count-e.came, pageEvents))
		if answered {
			q.Wait = max(min(time.Until(deadline), maxPoll).Truncate(time.Millisecond), time.Millisecond)
		}
		page, err := e.app.client.Events(ctx, q)
		switch {
		case err == nil:
		case ctx.Err() != nil || !client.Retryable(err):
			if answered || !client.Retryable(err) {
				return err
			}
			return &client.Unreachable{URL: e.app.options.Endpoint, Err: fmt.Errorf("not within %v", e.timeout)}
		default:
			pause(ctx, 100*time.Millisecond)
			if ctx.Err() != nil && !answered {
				return err
			}
			continue
		}
		if !answered && e.from == "now" {
			e.from = page.Next
		}
		answered = true
		if err := e.take(page); err != nil {
			return err
		}
		if e.came > 0 && e.came >= e.count {
			return nil
		}
		q.Filter, q.After, q.From = e.filter, page.Next, ""
	}
}

func (e *expectation) take(page *client.Page) error {
	e.app.whereErrors(page.WhereErrors)
	if err := e.printer.gap(page.Gap); err != nil {
		return err
	}
	for i := range page.Events {
		if err := e.printer.event(&page.Events[i]); err != nil {
			return err
		}
	}
	e.came += len(page.Events)
	return nil
}
