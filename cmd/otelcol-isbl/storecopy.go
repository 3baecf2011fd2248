package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/exporter/eventstoreexporter"
)

// copyCommand is `store copy`.
func copyCommand() *cobra.Command {
	var from, to, name string
	cmd := &cobra.Command{
		Use:   "copy --from=FILE --to=FILE",
		Short: "Copy a store to NATS, or back to a disk, with cursors and consumers",
		Long: `Copy a store to NATS, or back to a disk, with cursors and consumers.

The files are configurations: of the collector as it was, and as it will be. Stop all collectors of
both before. The copy must be new: a directory or a stream that does not exist, or is empty.

Events keep their cursors, and consumers their progress. The time of arrival becomes that of the
copy, so max_age begins anew.`,
		Example: `  otelcol-isbl store copy --from=/etc/isbl/config.yaml --to=/etc/isbl/cluster.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var configs []*eventstoreexporter.Config
			for _, file := range []string{from, to} {
				var names []string
				if name != "" {
					names = []string{name}
				}
				stores, err := storesOf(cmd.Context(), []string{file}, nil, names, func(*eventstoreexporter.Config) bool { return true })
				if err != nil {
					return err
				}
				if len(stores) > 1 {
					return fmt.Errorf("%s has %d event_store exporters: choose one with --exporter", file, len(stores))
				}
				configs = append(configs, stores[0].cfg)
			}
			events, err := eventstoreexporter.Copy(cmd.Context(), configs[0], configs[1])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "copied %d events\n", events)
			return err
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the configuration of the collector as it was, a `file`")
	cmd.Flags().StringVar(&to, "to", "", "the configuration as it will be, a `file`")
	cmd.Flags().StringVar(&name, "exporter", "", "the `name` of the event_store exporter, such as event_store/shop, where there are several")
	_ = cmd.MarkFlagRequired("from")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}
