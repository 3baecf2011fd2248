// Otelcol-isbl is an OpenTelemetry Collector that keeps events and hands them out again. Without
// --config it runs the built-in configuration. builder-config.yaml says which components it has.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/manual"
	"github.com/isbl/telemetry/internal/version"
)

// componentStatus is the feature gate that makes the health check answer by component status, so
// that a store that cannot write is seen. It is open here and closed in a stock Collector;
// --feature-gates has the last word.
const componentStatus = "extension.healthcheck.useComponentStatus"

func main() {
	if err := run(os.Args[1:]); err != nil {
		os.Exit(1) // cobra has printed the error
	}
}

func run(args []string) error {
	if err := featuregate.GlobalRegistry().Set(componentStatus, true); err != nil {
		return fmt.Errorf("open the feature gate %s: %w", componentStatus, err)
	}
	cmd := newCommand()
	cmd.SetArgs(args)

	// At a hangup the Collector reads its configuration again. Before it listens for the signal, a
	// moment after it is ready, the signal would end the process.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)

	// The Collector itself listens for signals only after it has started, and ignores a second one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return cmd.ExecuteContext(ctx)
}

// newCommand returns the Collector's command with what this program adds to it: a built-in
// configuration, flags for what people change of it first, and limits of memory.
func newCommand() *cobra.Command {
	cmd := otelcol.NewCommand(settings())
	cmd.Short = "Keeps events and hands them out again"
	cmd.Long = cmd.Short + `: an OpenTelemetry Collector with an event store.

Without --config it runs the built-in configuration, which "otelcol-isbl config" prints.`
	cmd.Version = version.String()
	cmd.AddCommand(configCommand(), storeCommand(), manual.Command())

	var f startFlags
	f.register(cmd.Flags())
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return useBuiltin(cmd.Flags()) }
	collect := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.apply(cmd); err != nil {
			return err
		}
		return collect(cmd, args)
	}
	return cmd
}

func settings() otelcol.CollectorSettings {
	const stable = " v1.67.0" // of the providers, as in builder-config.yaml
	return otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{
			Command:     "otelcol-isbl",
			Description: "OpenTelemetry Collector that keeps events and hands them out again",
			Version:     version.Number,
		},
		Factories:               withNotifier,
		DisableGracefulShutdown: true, // run listens for signals
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory()},
			ConverterFactories: []confmap.ConverterFactory{
				confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return addNotifier{} }),
			},
		}},
		ProviderModules: map[string]string{
			"env":  "go.opentelemetry.io/collector/confmap/provider/envprovider" + stable,
			"file": "go.opentelemetry.io/collector/confmap/provider/fileprovider" + stable,
			"yaml": "go.opentelemetry.io/collector/confmap/provider/yamlprovider" + stable,
		},
		LoggingOptions: []zap.Option{zap.WrapCore(withoutGateWarning)},
	}
}
