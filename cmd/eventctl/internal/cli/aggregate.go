package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) aggregateCommand() *cobra.Command {
	var q client.AggregateQuery
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "aggregate",
		Short: "Averages, percentiles and the like of a field",
		Long: `Averages, percentiles and the like of a field with numbers. A group is weighted where sampled events in it count for all
those that they stand for.`,
		Example: `  eventctl aggregate --field data.duration_ms --functions count,avg,p95
  eventctl aggregate --field data.total --functions sum --by source --interval 1h --since 1d`,
		Args: noArguments,
	}
	filter := a.addFilter(cmd)
	flags := cmd.Flags()
	flags.StringVar(&q.Field, "field", "", "the field, such as data.duration_ms (required)")
	flags.StringSliceVar(&q.Functions, "functions", []string{"count", "avg", "p95"}, "what to make of it")
	addGroups(cmd, &q.Groups)
	addExplain(cmd, &q.Explain)
	flags.BoolVar(&asJSON, "json", false, "the answer of the server, on one line")
	_ = cmd.MarkFlagRequired("field") // which is there
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if q.Filter, err = filter.read(); err != nil {
			return err
		}
		answer, err := a.client.Aggregate(cmd.Context(), q)
		if err != nil {
			return err
		}
		a.whereErrors(answer.WhereErrors)
		a.explained(answer.Explain)
		if asJSON {
			return a.raw(answer.Raw)
		}
		if answer.Missing > 0 {
			a.say("%s without a number there", plural(answer.Missing, "event"))
		}
		if len(answer.Groups) == 0 {
			a.say("no events with numbers there")
			return nil
		}
		return a.aggregateTable(&q, answer)
	}
	return cmd
}

func (a *app) aggregateTable(q *client.AggregateQuery, answer *client.Aggregate) error {
	timed, weighted := answer.Groups[0].Start != nil, false
	for _, g := range answer.Groups {
		weighted = weighted || g.Weighted
	}
	var titles []string
	if timed {
		titles = append(titles, "start")
	}
	titles = append(titles, q.By)
	for _, f := range q.Functions {
		titles = append(titles, ">"+f)
	}
	if weighted {
		titles = append(titles, "weighted")
	}
	table := show.NewTable(titles...)
	for _, g := range answer.Groups {
		var row []any
		if timed {
			start := ""
			if g.Start != nil {
				start = g.Start.UTC().Format(time.RFC3339)
			}
			row = append(row, start)
		}
		row = append(row, g.Name(q.By))
		for _, f := range q.Functions {
			row = append(row, g.Number(f))
		}
		if weighted {
			yes := ""
			if g.Weighted {
				yes = "yes"
			}
			row = append(row, yes)
		}
		table.Row(row...)
	}
	return table.Write(a.out, a.colours)
}
