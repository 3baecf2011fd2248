package eventstoreexporter

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/alert"
	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/registry"
)

// ruleFiles keep what the exporters of this process read last, by their ids: a file that is broken
// when the collector reads its configuration again leaves its old rules in force. The id of the
// collector is another one then.
var ruleFiles = registry.NewSlot[*rulefile.Loader]("rules")

// startAlerts evaluates the configured rules. What is wrong with a file is logged.
func (e *eventStore) startAlerts(ctx context.Context, host component.Host, cfg *AlertsConfig) (*alert.Manager, error) {
	loader := ruleFiles.GetOrAdd(e.id.Value.AsString(), func() *rulefile.Loader { return &rulefile.Loader{} })
	groups, err := loader.Load(cfg.RuleFiles)
	if err != nil {
		e.set.Logger.Error("alert rules cannot be used; the others are in force", zap.Error(err))
	}
	e.series.KeepTypes(rulefile.Named(groups))
	external, err := url.Parse(cfg.ExternalURL)
	if err != nil {
		return nil, err
	}
	opts := alert.Options{
		Groups: groups, Interval: cfg.Interval, QueryOffset: cfg.QueryOffset, Query: e.series.Vector, Records: e.store.Records(), Shared: e.store.Shared(),
		Oldest: e.oldest, ExternalLabels: cfg.ExternalLabels, ExternalURL: external, Observe: e.alertMetrics(), Logger: e.set.Logger,
	}
	for i := range cfg.Alertmanagers {
		client, err := cfg.Alertmanagers[i].client.ToClient(ctx, host.GetExtensions(), e.set)
		if err != nil {
			return nil, fmt.Errorf("alertmanagers[%d]: %w", i, err)
		}
		opts.Alertmanagers = append(opts.Alertmanagers, alert.NewAlertmanager(cfg.Alertmanagers[i].client.Endpoint, client, opts.Observe, e.set.Logger))
	}
	for i := range cfg.Webhooks {
		w := &cfg.Webhooks[i]
		client, err := w.client.ToClient(ctx, host.GetExtensions(), e.set)
		if err != nil {
			return nil, fmt.Errorf("webhooks[%d]: %w", i, err)
		}
		hook, err := alert.NewWebhook(w.client.Endpoint, string(w.Secret), client)
		if err != nil {
			return nil, fmt.Errorf("webhooks[%d]: %w", i, err)
		}
		opts.Once = append(opts.Once, hook)
	}
	if cfg.Events {
		opts.Once = append(opts.Once, &alert.Events{Source: e.cfg.SourceID, Append: e.store.Append})
	}
	return alert.New(opts)
}

// oldest is the time of the oldest event that is kept; zero without any.
func (e *eventStore) oldest() time.Time {
	if end := e.store.Stats(context.Background()).Oldest; end != nil {
		return end.Timestamp
	}
	return time.Time{}
}

// alertMetrics counts evaluations and notifications.
func (e *eventStore) alertMetrics() alert.Observer {
	ctx := context.Background()
	with := func(more ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(more, e.id)...))
	}
	tb := e.telemetry
	return alert.Observer{
		Evaluated: func(group string, took time.Duration, ok bool) {
			attrs := with(attribute.String("group", group))
			tb.ExporterEventStoreAlertEvaluations.Add(ctx, 1, attrs)
			tb.ExporterEventStoreAlertEvaluationDuration.Record(ctx, took.Seconds(), attrs)
			failures := int64(1)
			if ok {
				failures = 0 // so that the first failure is an increase
				tb.ExporterEventStoreAlertLastSuccess.Record(ctx, float64(time.Now().UnixMilli())/1000, attrs)
			}
			tb.ExporterEventStoreAlertEvaluationFailures.Add(ctx, failures, attrs)
		},
		Sent: func(kind string, alerts int) {
			tb.ExporterEventStoreAlertNotificationsSent.Add(ctx, int64(alerts), with(attribute.String("notifier", kind)))
		},
		Failed: func(kind string, alerts int) {
			tb.ExporterEventStoreAlertNotificationsFailed.Add(ctx, int64(alerts), with(attribute.String("notifier", kind)))
		},
		Dropped: func(kind, reason string, alerts int) {
			tb.ExporterEventStoreAlertNotificationsDropped.Add(ctx, int64(alerts), with(attribute.String("notifier", kind), attribute.String("reason", reason)))
		},
	}
}
