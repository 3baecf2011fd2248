package alert

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// status is what a message tells.
func (m *Message) status() string {
	if m.Alert.State == Inactive {
		return "resolved"
	}
	return "firing"
}

// data is the content of a message, in webhooks and in events.
func (m *Message) data() map[string]any {
	data := map[string]any{
		"alert": m.Alert.Labels["alertname"], "status": m.status(), "group": m.Group, "value": value(m.Alert.Value),
		"active_at": m.Alert.ActiveAt.Format(time.RFC3339Nano), "fired_at": m.Alert.FiredAt.Format(time.RFC3339Nano),
		"labels": anyMap(m.Alert.Labels), "annotations": anyMap(m.Alert.Annotations),
	}
	if m.Alert.State == Inactive {
		data["resolved_at"] = m.Alert.ResolvedAt.Format(time.RFC3339Nano)
	}
	return data
}

// value is a number, or a text where JSON has no number.
func value(n Number) any {
	if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f
	}
	return strconv.FormatFloat(float64(n), 'g', -1, 64)
}

func anyMap(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for name, value := range in {
		out[name] = value
	}
	return out
}

// severity is that of the event: of the label severity while it fires, and info once it ended.
func (m *Message) severity() string {
	if m.Alert.State == Inactive {
		return "info"
	}
	switch s := strings.ToLower(m.Alert.Labels["severity"]); s {
	case "trace", "debug", "info", "warn", "error", "fatal":
		return s
	case "critical", "page", "emergency":
		return "fatal"
	case "notice", "none":
		return "info"
	}
	return "warn"
}
