package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) aggregateCommand() *cobra.Command {
	var q client.AggregateQuery
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
	out := a.addGroups(cmd, &q.Groups)
	addExplain(cmd, &q.Explain)
	_ = cmd.MarkFlagRequired("field") // which is there
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if q.Filter, err = filter.read(); err != nil {
			return err
		}
		q.TimeZone = out.zoneOf(q.Interval)
		answer, err := a.client.Aggregate(cmd.Context(), q)
		if err != nil {
			return err
		}
		a.whereErrors(answer.WhereErrors)
		a.explained(answer.Explain)
		if answer.Missing > 0 {
			a.say("%s without a number there", plural(answer.Missing, "event"))
		}
		if len(answer.Groups) == 0 {
			a.say("no events with numbers there")
			if out.forPeople() {
				return nil
			}
		}
		return out.document(answer.Raw, "groups", aggregateTable(&q, answer, !out.forPeople()))
	}
	return cmd
}

// aggregateTable has a row for each group. The column weighted is there where it says something, or
// where all columns are asked for.
func aggregateTable(q *client.AggregateQuery, answer *client.Aggregate, all bool) *show.Table {
	names := groupColumns(&q.Groups)
	weighted := all || slices.ContainsFunc(answer.Groups, func(g client.Group) bool { return g.Weighted })
	for _, f := range q.Functions {
		names = append(names, ">"+f)
	}
	if weighted {
		names = append(names, "weighted")
	}
	table := show.NewTable(names...)
	for i := range answer.Groups {
		g := &answer.Groups[i]
		row := groupCells(&q.Groups, g.Start, g.Name(q.By))
		for _, f := range q.Functions {
			exact := strings.Trim(string(g.Fields[f]), `"`)
			if exact == "null" {
				exact = ""
			}
			row = append(row, show.Number{Rounded: g.Number(f), Exact: exact})
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
	return table
}
