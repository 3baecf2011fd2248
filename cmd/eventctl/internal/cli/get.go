package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
)

const (
	// maxPage is the highest number of events of a page.
	maxPage = 10_000
	// pageEvents is how many events a page has where many pages are read.
	pageEvents = 1000
)

func (a *app) getCommand() *cobra.Command {
	var after, from, order string
	var limit int
	var all, explain bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Print events that are there",
		Example: `  eventctl get --order desc --limit 5
  eventctl get --event-type 'alert.*' --since 1h --all --json
  eventctl get -o csv --columns timestamp,data.user.id --all > users.csv
  eventctl get --from now --wait 30s --limit 1`,
		Args: noArguments,
	}
	filter, printer := a.addFilter(cmd), a.addPrinter(cmd, false)
	flags := cmd.Flags()
	flags.IntVar(&limit, "limit", 10, "how many events")
	flags.BoolVar(&all, "all", false, "every event, to the end for now")
	flags.StringVar(&after, "after", "", "cursor to go on after")
	flags.StringVar(&from, "from", "", "where to start: start (default), now, a time in order of arrival (as --since), or a cursor")
	flags.StringVar(&order, "order", "asc", "asc: oldest first; desc: newest first")
	flags.DurationVar(&wait, "wait", 0, "how long to wait for a first event when there is none yet, at most 50s")
	addExplain(cmd, &explain)
	cmd.MarkFlagsMutuallyExclusive("after", "from")
	cmd.MarkFlagsMutuallyExclusive("limit", "all")
	complete(cmd, "order", "asc", "desc")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		fixed, err := filter.fixed()
		switch {
		case err != nil:
			return err
		case limit < 1:
			return usagef("--limit is %d, but must be at least 1", limit)
		case order != "asc" && order != "desc":
			return usagef("--order is %q, but must be asc or desc", order)
		}
		pager := a.newPager(client.Query{Filter: fixed, After: after, From: from, Descending: order == "desc", Wait: wait, Explain: explain})
		for left := limit; ; {
			pager.q.Limit = pageEvents
			if !all {
				pager.q.Limit = min(left, pageEvents)
			}
			page, gap, err := nextPage(cmd.Context(), pager, a.client.Events)
			if err != nil {
				return err
			}
			for _, g := range []*client.Gap{gap, page.Gap} {
				if err := printer.gap(g); err != nil {
					return err
				}
			}
			for i := range page.Events {
				if err := printer.event(&page.Events[i]); err != nil {
					return err
				}
			}
			a.whereErrors(page.WhereErrors)
			a.explained(page.Explain)
			pager.goOn(page.Next)
			if left -= len(page.Events); !page.More || !all && left <= 0 {
				if page.More {
					a.say("there is more: go on with --after %s", page.Next)
				}
				return printer.end()
			}
		}
	}
	return cmd
}
