package eventstoreexporter

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/isbl/telemetry/exporter/eventstoreexporter/internal/metadata"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/processor/eventbufferprocessor"
	"github.com/isbl/telemetry/receiver/eventreceiver"
)

// team is a pipeline of one team: receiver, event_buffer, event_store.
type team struct {
	store *running
	url   string // of the receiver
}

// forgetful is a component of others between ours that starts with a context of its own, as a
// batch processor does.
type forgetful struct{ consumer.Logs }

func (f forgetful) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	return f.Logs.ConsumeLogs(context.Background(), ld)
}

// startTeam starts a pipeline in the collector of this test. between wraps the store.
func startTeam(t *testing.T, name string, buffer, store m, between func(consumer.Logs) consumer.Logs) team {
	t.Helper()
	named := func(set *component.TelemetrySettings) {
		set.Resource.Attributes().PutStr("service.instance.id", t.Name())
	}
	set := nopSettings()
	named(&set.TelemetrySettings)
	set.ID = component.NewIDWithName(metadata.Type, name)
	s := create(t, set, store).run(t)

	var next consumer.Logs = s.Logs
	if between != nil {
		next = between(next)
	}
	factory := eventbufferprocessor.NewFactory()
	processorSet := processortest.NewNopSettings(factory.Type())
	named(&processorSet.TelemetrySettings)
	processorSet.ID = component.NewIDWithName(factory.Type(), name)
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(buffer).Unmarshal(cfg))
	var p processor.Logs
	p, err := factory.CreateLogs(t.Context(), processorSet, cfg, next)
	require.NoError(t, err)
	begin(t, p)

	receiverFactory := eventreceiver.NewFactory()
	receiverSet := receivertest.NewNopSettings(receiverFactory.Type())
	named(&receiverSet.TelemetrySettings)
	receiverSet.ID = component.NewIDWithName(receiverFactory.Type(), name)
	receiverCfg := receiverFactory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(m{"protocols": m{"events": m{"endpoint": "127.0.0.1:0"}}}).Unmarshal(receiverCfg))
	r, err := receiverFactory.CreateLogs(t.Context(), receiverSet, receiverCfg, p)
	require.NoError(t, err)
	begin(t, r)
	for _, known := range receivers.All(t.Name(), nil) {
		if known.ID == receiverSet.ID.String() {
			return team{s, known.Events}
		}
	}
	require.Fail(t, "the receiver is not known")
	return team{}
}

func begin(t *testing.T, c component.Component) {
	t.Helper()
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, c.Shutdown(context.Background())) })
}

func (one team) send(t *testing.T, body string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, one.url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, status, resp.StatusCode)
}

// told returns the components in /problems, and the buffers, the receivers and the event types that
// only a buffer knows in /stats.
func (one team) told(t *testing.T) (names []string) {
	t.Helper()
	var reported struct{ Problems []struct{ Component string } }
	one.store.get(t, "/api/v1/problems", &reported)
	for _, p := range reported.Problems {
		names = append(names, p.Component)
	}
	var stats struct {
		Buffers   []struct{ ID string }
		Receivers []struct{ ID string }
		Types     map[string]struct{ Filtered int } `json:"event_types"`
	}
	one.store.get(t, "/api/v1/stats", &stats)
	for _, b := range stats.Buffers {
		names = append(names, b.ID)
	}
	for _, r := range stats.Receivers {
		names = append(names, r.ID)
	}
	for name, counts := range stats.Types {
		if counts.Filtered > 0 {
			names = append(names, name)
		}
	}
	return names
}

const wrong, right = `{"event_type":5,"data":{"secret":"x"}}`, `[{"event_type":"a.b"},{"event_type":"filtered.TEAM"}]`

func (one team) sendBoth(t *testing.T, name string) {
	t.Helper()
	one.send(t, wrong, http.StatusBadRequest)
	one.send(t, strings.Replace(right, "TEAM", name, 1), http.StatusAccepted)
}

// Two teams share a collector: each store tells of its own pipeline.
func TestScopeOfAStore(t *testing.T) {
	for name, buffer := range map[string]m{
		"stored":   {"exclude_event_types": []string{"filtered.*"}},
		"buffered": {"exclude_event_types": []string{"filtered.*"}, "ack": "buffered"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := startTeam(t, "a", buffer, nil, nil), startTeam(t, "b", buffer, m{"sending_queue": m{"enabled": true}}, nil)
			a.send(t, wrong, http.StatusBadRequest)
			assert.Empty(t, a.told(t), "nothing arrived yet, so nobody knows whose it is")
			a.sendBoth(t, "a")
			b.sendBoth(t, "b")
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Equal(c, []string{"receiver/event/a", "event_buffer/a", "event/a", "filtered.a"}, a.told(t))
				assert.Equal(c, []string{"receiver/event/b", "event_buffer/b", "event/b", "filtered.b"}, b.told(t))
			}, 30*time.Second, 5*time.Millisecond)
		})
	}
	t.Run("alone", func(t *testing.T) {
		a := startTeam(t, "a", nil, nil, nil)
		a.send(t, wrong, http.StatusBadRequest)
		assert.Equal(t, []string{"receiver/event/a", "event_buffer/a", "event/a"}, a.told(t), "there is no other store")
	})
	t.Run("named", func(t *testing.T) {
		forget := func(next consumer.Logs) consumer.Logs { return forgetful{next} }
		buffer := m{"exclude_event_types": []string{"filtered.*"}}
		a := startTeam(t, "a", buffer, m{"components": []string{"receiver/event/a"}}, forget)
		b := startTeam(t, "b", buffer, nil, forget)
		a.sendBoth(t, "a")
		b.sendBoth(t, "b")
		assert.Equal(t, []string{"receiver/event/a", "event/a"}, a.told(t))
		assert.Empty(t, b.told(t), "the mark is lost, and nobody is named")
	})
}

func TestComponentNames(t *testing.T) {
	for _, name := range []string{"event", "receiver", "receiver/", "exporter/event_store", "receiver/event/", ""} {
		cfg := NewFactory().CreateDefaultConfig().(*Config)
		cfg.Components = []string{"receiver/event", "processor/event_buffer/a", name}
		assert.ErrorContains(t, confmap.Validate(cfg), "`components` must hold names such as receiver/event", name)
	}
}
