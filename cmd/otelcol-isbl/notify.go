package main

import (
	"context"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/otelcol"
)

// systemd is the extension that tells systemd when the pipelines run, for units of Type=notify. The
// program adds it to every configuration when systemd asks to be told, and else has no such
// component.
var systemd = component.MustNewType("systemd")

// asked says whether systemd wants to be told.
func asked() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// withNotifier returns the components of builder-config.yaml, and the notifier where systemd asked.
func withNotifier() (otelcol.Factories, error) {
	factories, err := components()
	if err == nil && asked() {
		factories.Extensions[systemd] = extension.NewFactory(systemd,
			func() component.Config { return &struct{}{} },
			func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
				return notifier{}, nil
			},
			component.StabilityLevelAlpha)
	}
	return factories, err
}

// addNotifier is a converter that adds the notifier to the service's extensions.
type addNotifier struct{}

func (addNotifier) Convert(_ context.Context, conf *confmap.Conf) error {
	if !asked() {
		return nil
	}
	extensions, _ := conf.Get("service::extensions").([]any) // what is not a list is reported later
	if extensions == nil && conf.Get("service::extensions") != nil {
		return nil
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{
		"extensions": map[string]any{systemd.String(): nil},
		"service":    map[string]any{"extensions": append(extensions, systemd.String())},
	}))
}

// notifier tells systemd that the collector is ready: at the start and, since systemd ignores what
// it knows, after each reload.
type notifier struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensioncapabilities.PipelineWatcher = notifier{}

func (notifier) Ready() error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		return fmt.Errorf("tell systemd that the collector is ready: %w", err)
	}
	return nil
}

func (notifier) NotReady() error { return nil }
