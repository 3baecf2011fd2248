package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) deadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead-letters",
		Short: "List, return and drop the events that were handed out too often",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.listDeadLetters(),
		a.endDeadLetters("return", "Hand dead letters out again", "returned", (*client.Client).ReturnDeadLetters),
		a.endDeadLetters("drop", "Remove dead letters", "dropped", (*client.Client).DropDeadLetters),
	)
	return cmd
}

func (a *app) listDeadLetters() *cobra.Command {
	var limit, skip int
	cmd := a.oneConsumer("list NAME", "List dead letters")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many")
	cmd.Flags().IntVar(&skip, "skip", 0, "leave out the first ones")
	out := a.addOutput(cmd, &output{short: formNDJSON})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		letters, err := a.client.DeadLetters(cmd.Context(), args[0], limit, skip)
		if err != nil {
			return err
		}
		if err := a.writeDeadLetters(letters.DeadLetters, out); err != nil {
			return err
		}
		if end := skip + len(letters.DeadLetters); uint64(end) < letters.Total {
			a.say("there are %d: go on with --skip %d", letters.Total, end)
		}
		return nil
	}
	return cmd
}

func (a *app) writeDeadLetters(letters []client.DeadLetter, out *output) error {
	table := show.NewTable("cursor", ">deliveries", "since", "reason", "timestamp", "event_type", "source", "event")
	raw := make([]json.RawMessage, len(letters))
	for i := range letters {
		letter := &letters[i]
		raw[i] = letter.Raw
		if out.forPeople() {
			if err := a.writeDeadLetter(letter); err != nil {
				return err
			}
			continue
		}
		e := cmp.Or(letter.Event, &client.Event{})
		var at *time.Time
		if letter.Event != nil {
			at = &e.Timestamp
		}
		table.Row(letter.Cursor, letter.Deliveries, &letter.Since, letter.Reason, at, e.EventType, e.Source, string(e.Raw))
	}
	if out.forPeople() {
		return nil
	}
	return out.records(raw, table)
}

func (a *app) writeDeadLetter(letter *client.DeadLetter) error {
	event := a.style.Faint("retention removed the event")
	if letter.Event != nil {
		event = a.style.Event(&letter.Event.Event)
	}
	reason := ""
	if letter.Reason != "" {
		reason = ": " + letter.Reason
	}
	_, err := fmt.Fprintf(a.out, "%s  deliveries %d, since %s%s\n  %s\n",
		letter.Cursor, letter.Deliveries, a.style.Second(&letter.Since), reason, event)
	return err
}

// endDeadLetters is a command that takes dead letters away: those at cursors, or all.
func (a *app) endDeadLetters(verb, short, done string, end func(*client.Client, context.Context, string, []string) (uint64, error)) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:               verb + " NAME [CURSOR...]",
		Short:             short,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeConsumers,
	}
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cursors := args[1:]; all == (len(cursors) > 0) {
			return usagef("name the cursors of dead letters, or --all")
		}
		n, err := end(a.client, cmd.Context(), args[0], args[1:])
		if err != nil {
			return err
		}
		a.say("%s %s", plural(n, "dead letter"), done)
		return nil
	}
	return cmd
}
