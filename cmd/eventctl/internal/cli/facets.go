package cli

import (
	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) facetsCommand() *cobra.Command {
	var q client.FacetsQuery
	cmd := &cobra.Command{
		Use:   "facets",
		Short: "The most frequent values of fields",
		Long: `The most frequent values of fields, of one pass over the events. The server counts for two seconds at most, and it is said when
that was not enough for all events.`,
		Example: `  eventctl facets --since 1h
  eventctl facets --by data.country,data.path --event-type 'metric.*' --limit 20`,
		Args: noArguments,
	}
	filter := a.addFilter(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&q.By, "by", []string{"event_type", "source", "severity"}, "event_type, category, source, severity, or a field such as data.country")
	flags.StringVar(&q.Limit, "limit", "10", "values of each field, at most 100")
	out := a.addOutput(cmd, &output{short: formJSON})
	addExplain(cmd, &q.Explain)
	complete(cmd, "by", "event_type", "category", "source", "severity")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if q.Filter, err = filter.read(); err != nil {
			return err
		}
		answer, err := a.client.Facets(cmd.Context(), q)
		if err != nil {
			return err
		}
		a.whereErrors(answer.WhereErrors)
		a.explained(answer.Explain)
		if answer.Partial {
			a.say("only %s were counted in the time there is: choose fewer by --since, --event-type or --source", plural(answer.Events, "event"))
		}
		table := show.NewTable("by", "value", ">count")
		for _, f := range answer.Facets {
			for _, v := range f.Values {
				table.Row(f.By, v.Value, v.Count)
			}
			if f.Other > 0 {
				table.Row(f.By, "(others)", f.Other)
			}
			if f.Missing > 0 {
				table.Row(f.By, "(none)", f.Missing)
			}
		}
		return out.document(answer.Raw, "facets", table)
	}
	return cmd
}
