package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
)

func (a *app) tailCommand() *cobra.Command {
	var after, from string
	var last int
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow events as they arrive, until Ctrl-C",
		Long: `Follow events as they arrive, until Ctrl-C.

When the connection is lost, or the server is started again, tail goes on after the last event that it showed: nothing is missed,
nothing is shown twice. Events that went away meanwhile are told as a gap.`,
		Example: `  eventctl tail
  eventctl tail --event-type 'user.*,alert.*' --last 10
  eventctl tail --json | jq .data`,
		Args: noArguments,
	}
	filter, printer := a.addFilter(cmd), a.addPrinter(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&after, "after", "", "cursor to go on after")
	flags.StringVar(&from, "from", "", "where to start: now (default), start, a time in order of arrival (as --since), or a cursor")
	flags.IntVarP(&last, "last", "n", 0, "show this many of the newest events first")
	cmd.MarkFlagsMutuallyExclusive("after", "from", "last")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		fixed, err := filter.fixed()
		if err != nil {
			return err
		}
		if last < 0 || last > maxPage {
			return usagef("--last is %d, but must be from 0 to %d", last, maxPage)
		}
		ctx, q := cmd.Context(), client.Query{Filter: fixed, After: after, From: from}
		retry := a.newRetry(true)
		if last > 0 {
			if q.After, err = a.showLast(ctx, retry, q, last, printer); err != nil {
				return err
			}
		}
		return a.follow(ctx, retry, q, printer)
	}
	return cmd
}

// showLast prints the newest events, and returns the cursor after them.
func (a *app) showLast(ctx context.Context, retry *retry, q client.Query, last int, printer *printer) (end string, err error) {
	var page *client.Page
	err = retry.do(ctx, func() error { // where there is no such event, the end of now counts
		page, err = a.client.Events(ctx, client.Query{From: "now", Limit: 1})
		return err
	})
	if err != nil {
		return "", err
	}
	end = page.Next
	var newest []client.Event
	for q.Descending = true; len(newest) < last; q.After = page.Next {
		q.Limit = last - len(newest)
		err := retry.do(ctx, func() error {
			page, err = a.client.Events(ctx, q)
			return err
		})
		if err != nil {
			return "", err
		}
		a.whereErrors(page.WhereErrors)
		if newest = append(newest, page.Events...); !page.More {
			break
		}
	}
	if len(newest) > 0 {
		end = newest[0].Cursor
	}
	for _, e := range slices.Backward(newest) {
		if err := printer.event(&e); err != nil {
			return "", err
		}
	}
	return end, nil
}

// follow prints what a stream tells until ctx is done, and opens another one where one ends.
func (a *app) follow(ctx context.Context, retry *retry, q client.Query, printer *printer) error {
	for {
		err := a.client.Stream(ctx, q, func(m client.Message) error {
			retry.ok()
			if m.Cursor != "" {
				q.After, q.From = m.Cursor, ""
			}
			if m.Event != nil {
				return printer.event(m.Event)
			}
			a.whereErrors(m.WhereErrors)
			return printer.gap(m.Gap)
		})
		if ctx.Err() != nil {
			return nil // that is how it ends
		}
		if err := retry.again(ctx, err); err != nil && ctx.Err() == nil {
			return err
		}
	}
}
