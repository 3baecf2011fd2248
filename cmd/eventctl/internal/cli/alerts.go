package cli

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) alertsCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Which alerts are pending or fire",
		Long:  "The alerts that are pending or fire. With --all also the rules that hold for nothing, and those that fail.",
		Example: `  eventctl alerts
  eventctl alerts --all`,
		Args: noArguments,
	}
	cmd.Flags().BoolVar(&all, "all", false, "also show rules without alerts")
	out := a.addOutput(cmd, &output{short: formJSON})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		rules, raw, err := a.client.Rules(cmd.Context())
		if err != nil {
			return err
		}
		for i := range rules {
			if r := &rules[i]; r.LastError != "" {
				a.say("rule %s of group %s: %s", r.Name, r.Group, r.LastError)
			}
		}
		if len(rules) == 0 {
			a.say("no alert rules: see alerts of event_store in the configuration")
		}
		return out.document(raw, "", alertsTable(rules, all))
	}
	return cmd
}

// alertsTable has a row for each alert; with all also one for each rule without alerts.
func alertsTable(rules []client.Rule, all bool) *show.Table {
	table := show.NewTable("alert", "state", "since", "labels", ">value", "summary")
	for i := range rules {
		r := &rules[i]
		for j := range r.Alerts {
			one := &r.Alerts[j]
			table.Row(r.Name, one.State, &one.ActiveAt, labelList(one.Labels), one.Value, cmp.Or(one.Annotations["summary"], one.Annotations["description"]))
		}
		if all && len(r.Alerts) == 0 {
			state := r.State
			if r.Health != "ok" {
				state += " (" + r.Health + ")"
			}
			table.Row(r.Name, state, (*time.Time)(nil), "", "", "")
		}
	}
	return table
}

// labelList writes the labels of an alert, without its name.
func labelList(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "alertname" {
			parts = append(parts, name+"="+labels[name])
		}
	}
	return strings.Join(parts, " ")
}
