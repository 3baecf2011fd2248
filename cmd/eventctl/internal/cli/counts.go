package cli

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) countsCommand() *cobra.Command {
	var q client.CountsQuery
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
	out := a.addGroups(cmd, &q.Groups)
	addExplain(cmd, &q.Explain)
	cmd.Flags().StringVar(&q.After, "after", "", "go on where the time was over: the cursor that is told then")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if q.Filter, err = filter.read(); err != nil {
			return err
		}
		q.TimeZone = out.zoneOf(q.Interval)
		counts, err := a.client.Counts(cmd.Context(), q)
		if err != nil {
			return err
		}
		a.whereErrors(counts.WhereErrors)
		a.explained(counts.Explain)
		if counts.Partial {
			a.say("the time was over: the newest %d of %d events were counted; --after %s counts the others", counts.Events, counts.Of, counts.Next)
		}
		if len(counts.Buckets) == 0 {
			a.say("no events")
		}
		if !out.forPeople() {
			return out.document(counts.Raw, "buckets", countsTable(&q.Groups, counts))
		}
		bars := make([]show.Bar, len(counts.Buckets))
		for i, b := range counts.Buckets {
			bars[i] = show.Bar{Start: b.Start, Name: b.Name, Length: float64(b.Count), Number: show.Count(b.Count, b.Estimated)}
		}
		return a.style.Bars(a.out, a.width(), bars)
	}
	return cmd
}

// countsTable has a row for each bar.
func countsTable(g *client.Groups, counts *client.Counts) *show.Table {
	table := show.NewTable(append(groupColumns(g), ">count", ">estimated")...)
	for _, b := range counts.Buckets {
		table.Row(append(groupCells(g, b.Start, b.Name), b.Count, whole(b.Estimated))...)
	}
	return table
}

// groupColumns are the columns that say what a row is of, and groupCells what is in them.
func groupColumns(g *client.Groups) []string {
	if g.Interval != "" {
		return []string{"start", g.By}
	}
	return []string{g.By}
}

func groupCells(g *client.Groups, start *time.Time, name string) []any {
	if g.Interval != "" {
		return []any{start, name}
	}
	return []any{name}
}

// whole is a number that people see without its fraction.
func whole(v float64) show.Number {
	return show.Number{Rounded: strconv.FormatFloat(v, 'f', 0, 64), Exact: strconv.FormatFloat(v, 'f', -1, 64)}
}

// zoneOf is what the server is told of --tz, which it takes with an interval only.
func (o *output) zoneOf(interval string) string {
	if interval == "" {
		return ""
	}
	return o.place
}

// addGroups adds the flags that say what numbers are of, and those of the output.
func (a *app) addGroups(cmd *cobra.Command, g *client.Groups) *output {
	flags := cmd.Flags()
	flags.StringVar(&g.By, "by", "event_type", "event_type, category, source, severity, or a value of the data such as data.country")
	flags.StringVar(&g.Interval, "interval", "", "length of a bucket of event time, such as 1m, 1h, 1d, 1w; without it, all times together")
	flags.IntVar(&g.Top, "top", 0, "only the largest groups; the others are one")
	flags.BoolVar(&g.Fill, "fill", false, "with --interval: show buckets without events too")
	complete(cmd, "by", "event_type", "category", "source", "severity")
	return a.addOutput(cmd, &output{
		short: formJSON, zone: time.UTC, placeOfTimes: "where days and weeks start, and whose times are shown, such as Europe/Oslo (default UTC)",
	})
}
