package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) consumersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "consumers",
		Short: "List, make, move and remove consumers, and look after their dead letters",
		Long: `List, make, move and remove consumers, and look after their dead letters. A consumer is a named reader whose progress the store
keeps; eventctl consume runs commands for what it hands out.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.listConsumers(), a.showConsumer(), a.createConsumer(), a.deleteConsumer(), a.seekConsumer(), a.deadLettersCommand())
	return cmd
}

func (a *app) listConsumers() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the consumers", Args: noArguments}
	out := a.addOutput(cmd, &output{short: formNDJSON})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := a.client.Consumers(cmd.Context())
		if err != nil {
			return err
		}
		raw := make([]json.RawMessage, len(all))
		for i := range all {
			raw[i] = all[i].Raw
		}
		return out.records(raw, consumersTable(all, !out.forPeople()))
	}
	return cmd
}

// consumersTable has a row for each consumer, and those columns that do not fit on a terminal where
// all are asked for.
func consumersTable(consumers []client.Consumer, all bool) *show.Table {
	names := []string{"name", ">lag", ">seconds", ">in_flight", ">waiting", ">dead", ">gone", ">delivered", ">acknowledged"}
	if all {
		names = append(names, ">redelivered", ">dead_evicted", "created", "used", "next", "definition")
	}
	table := show.NewTable(names...)
	for i := range consumers {
		c := &consumers[i]
		seconds := show.Number{Rounded: fmt.Sprintf("%.1f", c.Lag.Seconds), Exact: fmt.Sprint(c.Lag.Seconds)}
		row := []any{c.Name, c.Lag.Events, seconds, c.InFlight, c.Waiting, c.Dead, c.Gone, c.Delivered, c.Acknowledged}
		if all {
			row = append(row, c.Redelivered, c.DeadEvicted, &c.Created, &c.Used, c.Next, compact(c.Definition))
		}
		table.Row(row...)
	}
	return table
}

func (a *app) showConsumer() *cobra.Command {
	cmd := a.oneConsumer("show NAME", "Show a consumer")
	out := a.addOutput(cmd, &output{short: formJSON})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		consumer, err := a.client.Consumer(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return a.writeConsumer(consumer, out)
	}
	return cmd
}

func (a *app) createConsumer() *cobra.Command {
	var d client.Definition
	var maxDeliver, maxInFlight int
	var backoff client.Backoff
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a consumer, or change its limits",
		Long: `Make a consumer, or change its limits. The same call again changes nothing; one with other filters or another start is an error,
since the consumer would mean something else then.`,
		Example: `  eventctl consumers create billing --event-type 'data.order_*' --from start --ack-wait 1m`,
		Args:    cobra.ExactArgs(1),
	}
	filter, out := a.addFilter(cmd), a.addOutput(cmd, &output{short: formJSON})
	flags := cmd.Flags()
	flags.StringVar(&d.From, "from", "", "where to start: start, now, a time in order of arrival, or a cursor")
	flags.StringVar(&d.AckWait, "ack-wait", "", "how long a batch is leased, such as 30s")
	flags.IntVar(&maxDeliver, "max-deliver", 0, "how often an event is handed out before it is a dead letter; 0 is without end (default 5)")
	flags.IntVar(&maxInFlight, "max-in-flight", 0, "how many events may be leased at once (default 10000)")
	flags.StringVar(&backoff.Initial, "backoff", "", "how long an event waits after its first failure, and four times as long after each further one (default 1s)")
	flags.StringVar(&backoff.Max, "backoff-max", "", "how long it waits at most (default 5m)")
	flags.StringVar(&d.ExpiresAfter, "expires-after", "", "remove the consumer when nobody used it for so long, such as 24h")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if d.Filter, err = filter.read(); err != nil {
			return err
		}
		if flags.Changed("max-deliver") {
			d.MaxDeliver = &maxDeliver
		}
		if flags.Changed("max-in-flight") {
			d.MaxInFlight = &maxInFlight
		}
		if backoff != (client.Backoff{}) {
			d.Backoff = &backoff
		}
		consumer, err := a.client.PutConsumer(cmd.Context(), args[0], d)
		if err != nil {
			return err
		}
		return a.writeConsumer(consumer, out)
	}
	return cmd
}

func (a *app) deleteConsumer() *cobra.Command {
	cmd := a.oneConsumer("delete NAME", "Remove a consumer, with its dead letters")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.client.DeleteConsumer(cmd.Context(), args[0]); err != nil {
			return err
		}
		a.say("consumer %s is removed", args[0])
		return nil
	}
	return cmd
}

func (a *app) seekConsumer() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "seek NAME FROM",
		Short:             "Move a consumer to start, now, a time or a cursor",
		Long:              "Move a consumer to start, now, a time or a cursor. Batches that workers have are lost to them; dead letters stay.",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeConsumers,
	}
	out := a.addOutput(cmd, &output{short: formJSON})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		consumer, err := a.client.SeekConsumer(cmd.Context(), args[0], args[1])
		if err != nil {
			return err
		}
		return a.writeConsumer(consumer, out)
	}
	return cmd
}

// oneConsumer is a command whose one argument is the name of a consumer.
func (a *app) oneConsumer(use, short string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeConsumers}
}

func (a *app) writeConsumer(c *client.Consumer, out *output) error {
	if !out.forPeople() {
		return out.document(c.Raw, "", consumersTable([]client.Consumer{*c}, true))
	}
	definition, err := json.MarshalIndent(c.Definition, "  ", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, `%s  since %s, used %s
  %s
  lag        %s, %.1f s
  in flight  %d, %d more wait to be handed out again
  delivered  %d, %d of them again
  done       %d
  dead       %d, and %d of which there was no room to tell
  gone       %d, removed by retention or damaged before they were done
  next       %s
`,
		a.style.Bold(c.Name), a.style.Second(&c.Created), a.style.Second(&c.Used), definition,
		plural(c.Lag.Events, "event"), c.Lag.Seconds, c.InFlight, c.Waiting, c.Delivered, c.Redelivered, c.Acknowledged, c.Dead, c.DeadEvicted, c.Gone, c.Next)
	return err
}
