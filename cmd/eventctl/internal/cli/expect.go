package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
	"github.com/isbl/telemetry/internal/filter"
)

const (
	// maxPoll is how long one request of expect waits.
	maxPoll = 30 * time.Second
	// maxInstead bounds what expect reads to say what came instead, and maxTypes how many types of
	// it are named.
	maxInstead, maxTypes = 10_000, 20
)

func (a *app) expectCommand() *cobra.Command {
	e := expectation{app: a}
	cmd := &cobra.Command{
		Use:   "expect",
		Short: "Wait for events, and fail when they do not come: for tests in any language",
		Long: `Wait until so many events have come, and print them. When they do not come in time, say what came instead, and exit with 1; with 3
when the server could not be asked. --count 0 expects that none comes, and waits the whole time.

Events that are in the store already count, unless --from or --since leave them out.`,
		Example: `  eventctl expect --event-type user.login --count 3 --timeout 10s
  eventctl expect --event-type order.placed --data order=1042 --since 1m
  eventctl expect --event-type 'alert.*' --count 0 --timeout 5s --from now`,
		Args: cobra.NoArgs,
	}
	choice, printer := a.addFilter(cmd), a.addPrinter(cmd)
	flags := cmd.Flags()
	flags.IntVar(&e.count, "count", 1, "how many events, at least; 0 for none at all")
	flags.DurationVar(&e.timeout, "timeout", 10*time.Second, "how long to wait for them")
	flags.StringVar(&e.from, "from", "start", "where to start: start, now, a time in order of arrival (as --since), or a cursor")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		switch e.filter, err = choice.fixed(); {
		case err != nil:
			return err
		case e.count < 0:
			return usagef("--count is %d, but must not be negative", e.count)
		case e.timeout <= 0:
			return usagef("--timeout is %v, but must be positive", e.timeout)
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
	inTime, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	err := e.wait(inTime)
	met := e.came >= e.count
	if e.count == 0 {
		met = e.came == 0 && errors.Is(err, context.DeadlineExceeded)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case met:
		return nil
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return e.explain(ctx)
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

// explain is the error that says what was expected, and what came instead.
func (e *expectation) explain(ctx context.Context) error {
	var b strings.Builder
	if e.count == 0 {
		fmt.Fprintf(&b, "expected no events%s, but %d came", e.selected(), e.came)
		return errors.New(b.String())
	}
	fmt.Fprintf(&b, "expected %s%s within %v, but %d came", plural(uint64(e.count), "event"), e.selected(), e.timeout, e.came)
	page, err := e.app.client.Events(ctx, client.Query{From: e.from, Limit: maxInstead})
	switch {
	case err != nil:
		return fmt.Errorf("%s; what came instead cannot be read: %w", &b, err)
	case len(page.Events) == 0:
		b.WriteString("\n  nothing came at all: is the right collector asked, and do events reach it?")
		return errors.New(b.String())
	}
	type group struct{ eventType, source string }
	groups := map[group]int{}
	for _, event := range page.Events {
		groups[group{event.EventType, event.Source}]++
	}
	b.WriteString("\n  what came in all:\n")
	table := show.NewTable(">events", "event_type", "source")
	names := slices.SortedFunc(maps.Keys(groups), func(x, y group) int {
		return cmp.Or(cmp.Compare(groups[y], groups[x]), cmp.Compare(x.eventType, y.eventType), cmp.Compare(x.source, y.source))
	})
	for _, g := range names[:min(maxTypes, len(names))] {
		table.Row(groups[g], g.eventType, g.source)
	}
	var text strings.Builder
	_ = table.Write(&text, show.NewColours(false)) // into memory
	b.WriteString("    " + strings.ReplaceAll(strings.TrimRight(text.String(), "\n"), "\n", "\n    "))
	if more := len(names) - maxTypes; more > 0 {
		fmt.Fprintf(&b, "\n    and %d more", more)
	}
	if page.More {
		fmt.Fprintf(&b, "\n    (of the first %d events)", len(page.Events))
	}
	return errors.New(b.String())
}

// selected repeats the filter in words.
func (e *expectation) selected() string {
	values := e.filter.Values()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, name+"="+strings.Join(values[name], ","))
	}
	if len(parts) == 0 {
		return ""
	}
	return " with " + strings.Join(parts, " ")
}
