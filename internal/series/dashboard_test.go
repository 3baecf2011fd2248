package series_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/series"
)

// Each panel of the dashboard of events has numbers, where there are events for it.
func TestPanelsOfTheDashboard(t *testing.T) {
	content, err := os.ReadFile("../../deploy/grafana/dashboards/isbl-events.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct {
				Expr    string
				Instant bool
			}
		}
	}
	require.NoError(t, json.Unmarshal(content, &dashboard))

	today := draw(rand.New(rand.NewPCG(9, 10)), 2000)
	events := slices.Clone(today)
	for i := range events {
		events[i].at = events[i].at.Add(-24 * time.Hour)
	}
	events = append(events, oneOf("backup.finished", "cron", -7200)) // a type that stopped coming
	engine, _ := newEngine(t, append(events, today...))
	all := strings.NewReplacer("$event_type", ".*", "$source", ".*", "$severity", ".*", // as Grafana writes All
		"$field", "data.ms", "$__rate_interval", "5m", "$__range", "6h")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			q := series.Query{Expr: all.Replace(target.Expr), Start: at(0), End: at(3600), Step: time.Minute}
			if target.Instant {
				q.Start, q.Step = q.End, 0
			}
			numbers := 0
			require.NoError(t, engine.Exec(t.Context(), q, func(result *promql.Result) error {
				numbers = numbersIn(result)
				return nil
			}), "%s: %s", panel.Title, q.Expr)
			assert.Positive(t, numbers, "%s: %s", panel.Title, q.Expr)
		}
	}
}

func numbersIn(result *promql.Result) (n int) {
	switch v := result.Value.(type) {
	case promql.Vector:
		for _, sample := range v {
			if !math.IsNaN(sample.F) {
				n++
			}
		}
	case promql.Matrix:
		for _, s := range v {
			for _, point := range s.Floats {
				if !math.IsNaN(point.F) {
					n++
				}
			}
		}
	}
	return n
}
