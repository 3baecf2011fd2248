package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/isbl/telemetry/exporter/eventstoreexporter"
)

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "store", Short: "Look after what keeps events: change a stream in NATS, copy a store"}
	cmd.AddCommand(applyCommand(), copyCommand())
	return cmd
}

// applyCommand is `store apply`. A collector never changes a stream that exists: several share it,
// and two configurations would change it back and forth. So a person says when.
func applyCommand() *cobra.Command {
	var files, sets []string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "apply --config=FILE [event_store…]",
		Short: "Change the stream in NATS to what a configuration says",
		Long: `Change the stream in NATS to what a configuration says: retention and replicas.

A collector does not change a stream that exists, and does not start when its configuration says
something else. So change the file, run this once, then restart the collectors one by one. Those
that run go on meanwhile. A smaller max_bytes or max_age removes the oldest events at once.

What is not in the configuration stays as it is. Without names all event_store exporters of the
configuration with storage::nats are looked at.`,
		Example: `  otelcol-isbl store apply --config=/etc/isbl/config.yaml --dry-run
  otelcol-isbl store apply --config=/etc/isbl/config.yaml`,
		RunE: func(cmd *cobra.Command, names []string) error {
			stores, err := storesOf(cmd.Context(), files, sets, names, func(c *eventstoreexporter.Config) bool { return c.Storage.NATS.HasValue() })
			if err != nil {
				return err
			}
			for _, s := range stores {
				if err := s.apply(cmd.Context(), cmd.OutOrStdout(), dryRun); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&files, "config", nil, "a `file` with the collectors' configuration, or a part of it; repeatable")
	cmd.Flags().StringArrayVar(&sets, "set", nil, "`key=value`, such as exporters.event_store.storage.nats.username=admin; repeatable")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be changed")
	_ = cmd.MarkFlagRequired("config")
	return cmd
}

// configured is an event_store exporter of a configuration.
type configured struct {
	id  component.ID
	cfg *eventstoreexporter.Config
}

// storesOf reads a configuration as the Collector does, and returns the stores with those names, or
// all that are meant.
func storesOf(ctx context.Context, files, sets, names []string, meant func(*eventstoreexporter.Config) bool) (stores []configured, err error) {
	set := settings()
	factories, err := set.Factories()
	if err != nil {
		return nil, err
	}
	resolver := set.ConfigProviderSettings.ResolverSettings
	resolver.DefaultScheme = "env"
	resolver.URIs = files
	for _, s := range sets {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("--set %s: write key=value", s)
		}
		resolver.URIs = append(resolver.URIs, "yaml:"+strings.ReplaceAll(key, ".", "::")+": "+value)
	}
	provider, err := otelcol.NewConfigProvider(otelcol.ConfigProviderSettings{ResolverSettings: resolver})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, provider.Shutdown(ctx)) }()
	conf, err := provider.Get(ctx, factories)
	if err != nil {
		return nil, err
	}
	for id, exporter := range conf.Exporters {
		cfg, ok := exporter.(*eventstoreexporter.Config)
		if !ok || len(names) > 0 && !slices.Contains(names, id.String()) || len(names) == 0 && !meant(cfg) {
			continue
		}
		if err := confmap.Validate(cfg); err != nil {
			return nil, fmt.Errorf("exporters::%s: %w", id, err)
		}
		stores = append(stores, configured{id, cfg})
	}
	if len(stores) == 0 || len(stores) < len(names) {
		return nil, fmt.Errorf("%s: the configuration has no such event_store exporter", strings.Join(files, ", "))
	}
	slices.SortFunc(stores, func(a, b configured) int { return cmp.Compare(a.id.String(), b.id.String()) })
	return stores, nil
}

func (s configured) apply(ctx context.Context, out io.Writer, dryRun bool) error {
	changes, err := s.cfg.Apply(ctx, dryRun)
	if err != nil {
		return fmt.Errorf("%s: %w", s.id, err)
	}
	for _, change := range changes {
		if _, err := fmt.Fprintf(out, "%s: %s\n", s.id, change); err != nil {
			return err
		}
	}
	end := "changed; restart the collectors one by one"
	switch {
	case len(changes) == 0:
		end = "nothing to change"
	case dryRun:
		end = "nothing was changed: this is a dry run"
	}
	_, err = fmt.Fprintf(out, "%s: %s\n", s.id, end)
	return err
}
