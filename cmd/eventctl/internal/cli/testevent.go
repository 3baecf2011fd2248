package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) testEventCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test-event",
		Short: "Let the server send an event through its own receiver",
		Long: `Let the server send an event of type test.event through its own receiver, to see whether events arrive. It prints the event's
id. The receiver's port for JSON must be on and want no authentication; emit sends events itself.`,
		Example: `  eventctl test-event
  eventctl get --event-id "$(eventctl test-event)"`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sent, err := a.client.SendTestEvent(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, sent.EventID)
			return err
		},
	}
}
