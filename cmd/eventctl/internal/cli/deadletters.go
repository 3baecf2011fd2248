package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
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
	var asJSON bool
	cmd := a.oneConsumer("list NAME", "List dead letters")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many")
	cmd.Flags().IntVar(&skip, "skip", 0, "leave out the first ones")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one dead letter a line as JSON, as the server sends it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		letters, err := a.client.DeadLetters(cmd.Context(), args[0], limit, skip)
		if err != nil {
			return err
		}
		for _, letter := range letters.DeadLetters {
			if err := a.writeDeadLetter(&letter, asJSON); err != nil {
				return err
			}
		}
		if end := skip + len(letters.DeadLetters); uint64(end) < letters.Total {
			a.say("there are %d: go on with --skip %d", letters.Total, end)
		}
		return nil
	}
	return cmd
}

func (a *app) writeDeadLetter(letter *client.DeadLetter, asJSON bool) error {
	if asJSON {
		return a.raw(letter.Raw)
	}
	event := a.colours.Faint("retention removed the event")
	if letter.Event != nil {
		event = a.colours.Event(&letter.Event.Event)
	}
	reason := ""
	if letter.Reason != "" {
		reason = ": " + letter.Reason
	}
	_, err := fmt.Fprintf(a.out, "%s  deliveries %d, since %s%s\n  %s\n",
		letter.Cursor, letter.Deliveries, letter.Since.UTC().Format(time.RFC3339), reason, event)
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
