package column_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/isbl/telemetry/internal/column"
	"github.com/isbl/telemetry/internal/event"
)

func TestOf(t *testing.T) {
	e := &event.Event{
		EventID: "id", Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)), EventType: "a.b", Source: "=shop",
		Data: map[string]any{
			"a.b": map[string]any{"c": int64(1)}, "a": map[string]any{"b": map[string]any{"c": int64(2), "d": int64(3)}},
			"bytes": []byte{1}, "nan": math.NaN(), "f": 1.0, "none": nil, "list": []any{"x"}, "n": int64(-5),
		},
		Metadata: map[string]any{"severity_number": int64(17), "k": "v"},
	}
	for name, want := range map[string]string{
		"event_id": "id", "timestamp": "2026-01-02T02:04:05.000000006Z", "event_type": "a.b", "source": "'=shop", "severity": "ERROR", "cursor": "here",
		"data.a.b.c": "1", "data.a.b.d": "3", "data.bytes": "AQ==", "data.nan": "NaN", "data.f": "1.0", "data.none": "", "data.no": "",
		"data.list": `["x"]`, "data.n": "-5", "metadata.k": "v", "metadata": `{"k":"v","severity_number":17}`,
	} {
		assert.True(t, column.Valid(name), name)
		assert.Equal(t, want, column.Field(column.Of(e, "here", name)), name)
	}
	for _, name := range []string{"", "data.", "metadata.", "datum", "Event_ID"} {
		assert.False(t, column.Valid(name), name)
	}
}
