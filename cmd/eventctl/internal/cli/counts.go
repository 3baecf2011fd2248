package cli

import (
	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
)

func (a *app) countsCommand() *cobra.Command {
	var by, interval string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "counts",
		Short: "How many events there are, as bars",
		Long:  "How many events there are by type, category, source or severity, over event time. ≈ is an estimate of how many there were before sampling.",
		Example: `  eventctl counts
  eventctl counts --by category --interval 1h --since 7d`,
		Args: noArguments,
	}
	filter := a.addFilter(cmd)
	addBuckets(cmd, &by, &interval)
	cmd.Flags().Lookup("by").Usage = "event_type, category, source or severity"
	cmd.Flags().BoolVar(&asJSON, "json", false, "the answer of the server, on one line")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f, err := filter.read()
		if err != nil {
			return err
		}
		counts, err := a.client.Counts(cmd.Context(), f, by, interval)
		if err != nil {
			return err
		}
		a.whereErrors(counts.WhereErrors)
		if asJSON {
			return a.raw(counts.Raw)
		}
		if len(counts.Buckets) == 0 {
			a.say("no events")
			return nil
		}
		bars := make([]show.Bar, len(counts.Buckets))
		for i, b := range counts.Buckets {
			bars[i] = show.Bar{Start: b.Start, Name: b.Name, Count: b.Count, Estimated: b.Estimated}
		}
		return a.colours.Bars(a.out, a.width(), bars)
	}
	return cmd
}

// addBuckets adds the flags that say what numbers are of.
func addBuckets(cmd *cobra.Command, by, interval *string) {
	cmd.Flags().StringVar(by, "by", "event_type", "event_type, category or source")
	cmd.Flags().StringVar(interval, "interval", "", "length of a bucket of event time, such as 1m, 1h, 1d; without it, all times together")
	complete(cmd, "by", "event_type", "category", "source")
}
