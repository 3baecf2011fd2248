package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
)

// completionTimeout is the longest wait for the server after the tab key.
const completionTimeout = 2 * time.Second

// complete offers the values of a flag.
func complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// ask reads names from the server for the shell, which gets none where that fails.
func (a *app) ask(cmd *cobra.Command, names func(ctx context.Context, c *client.Client) []string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
	defer cancel()
	if err := a.connect(cmd); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names(ctx, a.client), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completeConsumers(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.ask(cmd, func(ctx context.Context, c *client.Client) (names []string) {
		consumers, _ := c.Consumers(ctx)
		for _, consumer := range consumers {
			names = append(names, consumer.Name)
		}
		return names
	})
}

func (a *app) completeEventTypes(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.ask(cmd, func(ctx context.Context, c *client.Client) []string {
		stats, err := c.Stats(ctx)
		if err != nil {
			return nil
		}
		return slices.Sorted(maps.Keys(stats.EventTypes))
	})
}

func (a *app) completeSources(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.ask(cmd, func(ctx context.Context, c *client.Client) []string {
		stats, err := c.Stats(ctx)
		if err != nil {
			return nil
		}
		return slices.Sorted(maps.Keys(stats.Sources))
	})
}
