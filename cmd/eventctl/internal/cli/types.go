package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) typesCommand() *cobra.Command {
	var fields bool
	cmd := &cobra.Command{
		Use:   "types [PATTERN...]",
		Short: "The event types, and the fields of their data",
		Long: `The event types that are kept, and with --fields the fields of their data: how many events have them, of which kinds, with which values,
and what changed lately. Fields are those of a sample: the oldest and the newest hundred events of each type.`,
		Example: `  eventctl types
  eventctl types --fields user.login`,
	}
	cmd.Flags().BoolVar(&fields, "fields", false, "show the fields")
	out := a.addOutput(cmd, &output{short: formJSON})
	cmd.RunE = func(cmd *cobra.Command, patterns []string) error {
		answer, err := a.client.EventTypes(cmd.Context(), patterns...)
		if err != nil {
			return err
		}
		if answer.Partial {
			a.say("some event types are not described yet: ask again")
		}
		if answer.MoreTypes > 0 {
			a.say("%s more are not listed: name a pattern", plural(uint64(answer.MoreTypes), "event type"))
		}
		if len(answer.EventTypes) == 0 {
			a.say("no events")
			if out.forPeople() {
				return nil
			}
		}
		table := typesTable(answer.EventTypes)
		if fields {
			table = fieldsTable(answer.EventTypes)
		}
		return out.document(answer.Raw, "event_types", table)
	}
	return cmd
}

func typesTable(types []client.EventType) *show.Table {
	table := show.NewTable("event_type", ">count", "first", "last", "sources")
	for i := range types {
		t := &types[i]
		table.Row(t.EventType, t.Count, t.First, t.Last, strings.Join(t.Sources, ","))
	}
	return table
}

func fieldsTable(types []client.EventType) *show.Table {
	table := show.NewTable("event_type", "field", "kinds", ">share", "values", "change")
	for i := range types {
		for _, f := range types[i].Fields {
			values := make([]string, len(f.Values))
			for j, v := range f.Values {
				values[j] = v.Value
			}
			if f.More || f.Distinct > len(f.Values) {
				values = append(values, "…")
			}
			table.Row(types[i].EventType, f.Path, strings.Join(slices.Sorted(maps.Keys(f.Kinds)), ","), fmt.Sprintf("%.0f%%", 100*f.Share), strings.Join(values, " "), f.Change)
		}
	}
	return table
}
