package cli

import (
	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) countsCommand() *cobra.Command {
	var q client.CountsQuery
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "counts",
		Short: "How many events there are, as bars",
		Long:  "How many events there are by type, category, source, severity or a value of the data, over event time. ≈ is an estimate of how many there were before sampling.",
		Example: `  eventctl counts
  eventctl counts --by category --interval 1h --since 7d
  eventctl counts --by data.country --top 10 --interval 1d --tz Europe/Oslo --fill`,
		Args: noArguments,
	}
	filter := a.addFilter(cmd)
	addGroups(cmd, &q.Groups)
	addExplain(cmd, &q.Explain)
	cmd.Flags().StringVar(&q.After, "after", "", "go on where the time was over: the cursor that is told then")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the answer of the server, on one line")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if q.Filter, err = filter.read(); err != nil {
			return err
		}
		counts, err := a.client.Counts(cmd.Context(), q)
		if err != nil {
			return err
		}
		a.whereErrors(counts.WhereErrors)
		a.explained(counts.Explain)
		if counts.Partial {
			a.say("the time was over: the newest %d of %d events were counted; --after %s counts the others", counts.Events, counts.Of, counts.Next)
		}
		if asJSON {
			return a.raw(counts.Raw)
		}
		if len(counts.Buckets) == 0 {
			a.say("no events")
			return nil
		}
		bars := make([]show.Bar, len(counts.Buckets))
		for i, b := range counts.Buckets {
			bars[i] = show.Bar{Start: b.Start, Name: b.Name, Count: b.Count, Estimated: b.Estimated}
		}
		return a.colours.Bars(a.out, a.width(), bars)
	}
	return cmd
}

// addGroups adds the flags that say what numbers are of.
func addGroups(cmd *cobra.Command, g *client.Groups) {
	flags := cmd.Flags()
	flags.StringVar(&g.By, "by", "event_type", "event_type, category, source, severity, or a value of the data such as data.country")
	flags.StringVar(&g.Interval, "interval", "", "length of a bucket of event time, such as 1m, 1h, 1d, 1w; without it, all times together")
	flags.StringVar(&g.TimeZone, "tz", "", "where days and weeks start, such as Europe/Oslo (default UTC)")
	flags.IntVar(&g.Top, "top", 0, "only the largest groups; the others are one")
	flags.BoolVar(&g.Fill, "fill", false, "with --interval: show buckets without events too")
	complete(cmd, "by", "event_type", "category", "source", "severity")
}
