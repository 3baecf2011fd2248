package cli

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
	"github.com/isbl/telemetry/internal/when"
)

// barsOfQuery is into how many steps a range is cut that says none.
const barsOfQuery = 30

func (a *app) queryCommand() *cobra.Command {
	var since, until, step string
	cmd := &cobra.Command{
		Use:   "query EXPRESSION",
		Short: "Evaluate an expression in PromQL over the events",
		Long: `Evaluates an expression in PromQL over the events: now, at --until, or from --since on at each --step. Numbers over a range are shown as bars.
docs/promql.md says which series there are: events_total, events_stored_total, events_field.`,
		Example: `  eventctl query 'sum by (event_type) (increase(events_total[1h]))'
  eventctl query 'sum by (source) (rate(events_total{severity="error"}[5m]))' --since 1h --step 5m`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&since, "since", "", "the first time: "+when.TimeSyntax)
	cmd.Flags().StringVar(&until, "until", "", "the last time (default: now)")
	cmd.Flags().StringVar(&step, "step", "", fmt.Sprintf("the time between two, such as 5m (default: a %dth of the range)", barsOfQuery))
	out := a.addOutput(cmd, &output{short: formJSON})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, err := queryRange(since, until, step)
		if err != nil {
			return err
		}
		res, err := a.client.Query(cmd.Context(), args[0], at)
		if err != nil {
			return err
		}
		for _, warning := range res.Warnings {
			a.say("%s", warning)
		}
		if len(res.Series) == 0 {
			a.say("no series")
		}
		if !out.forPeople() || at.Start.IsZero() {
			return out.document(res.Raw, "", seriesTable(res.Series, !at.Start.IsZero()))
		}
		return a.style.Bars(a.out, a.width(), seriesBars(res.Series))
	}
	return cmd
}

// queryRange reads the flags of times.
func queryRange(since, until, step string) (at client.QueryRange, err error) {
	now := time.Now()
	at.End = now
	for _, flag := range []struct {
		name, text string
		into       *time.Time
	}{{"since", since, &at.Start}, {"until", until, &at.End}} {
		if flag.text == "" {
			continue
		}
		var ok bool
		if *flag.into, ok = when.Time(flag.text, now); !ok {
			return at, usagef("--%s is %q, but must be %s", flag.name, flag.text, when.TimeSyntax)
		}
	}
	switch {
	case since == "" && step != "":
		return at, usagef("--step is for a range: give --since too")
	case since != "" && at.End.Before(at.Start):
		return at, usagef("--since is after --until")
	case step != "":
		if at.Step, err = when.Duration(step); err != nil || at.Step <= 0 {
			return at, usagef("--step is %q, but must be a duration such as 5m", step)
		}
	default:
		at.Step = max(at.End.Sub(at.Start)/barsOfQuery, time.Second).Truncate(time.Second)
	}
	return at, nil
}

// seriesTable has a row for each number.
func seriesTable(all []client.Series, overTime bool) *show.Table {
	names := map[string]bool{}
	for _, s := range all {
		for name := range s.Labels {
			names[name] = true
		}
	}
	labels := slices.Sorted(maps.Keys(names))
	head := append(slices.Clone(labels), ">value")
	if overTime {
		head = append([]string{"time"}, head...)
	}
	table := show.NewTable(head...)
	for _, s := range all {
		for _, p := range s.Points {
			var row []any
			if overTime {
				row = append(row, &p.Time)
			}
			for _, name := range labels {
				row = append(row, s.Labels[name])
			}
			table.Row(append(row, show.Number{Rounded: shortNumber(p.Value), Exact: strconv.FormatFloat(p.Value, 'g', -1, 64)})...)
		}
	}
	return table
}

// seriesBars are the numbers of all series, by time.
func seriesBars(all []client.Series) []show.Bar {
	var bars []show.Bar
	for _, s := range all {
		parts := make([]string, 0, len(s.Labels))
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			parts = append(parts, s.Labels[name])
		}
		for _, p := range s.Points {
			bars = append(bars, show.Bar{Start: &p.Time, Name: strings.Join(parts, " "), Length: p.Value, Number: shortNumber(p.Value)})
		}
	}
	slices.SortStableFunc(bars, func(a, b show.Bar) int { return a.Start.Compare(*b.Start) })
	return bars
}

// shortNumber writes a number to a thousandth, and a smaller one to four digits.
func shortNumber(v float64) string {
	if size := math.Abs(v); size < 1 || size >= 1e15 || math.IsNaN(v) {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}
