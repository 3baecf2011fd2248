package alert

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/alert/rulefile"
	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
)

// Events stores messages as events.
type Events struct {
	// Source of the events.
	Source string
	// Append stores records, as store.Store does.
	Append func(context.Context, plog.Logs) error
}

// Name of the notifier.
func (*Events) Name() string { return "event" }

// Kind of the notifier.
func (*Events) Kind() string { return "event" }

// Notify stores one event. Its id is that of the message, so a store that deduplicates has it once.
func (n *Events) Notify(ctx context.Context, m *Message) error {
	e := event.Event{
		EventID: m.ID, EventType: rulefile.EventType(m.Alert.Labels["alertname"]), Source: n.Source, Timestamp: m.Time.UTC(),
		Data: m.data(), Metadata: map[string]any{"severity": m.severity()},
	}
	ld := plog.NewLogs()
	if err := eventlog.AppendRecord(ld, &e); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	err := n.Append(ctx, ld)
	var refused *eventlog.Refused
	if errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
