package alert

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/isbl/telemetry/internal/alert/rulefile"
)

const (
	// maxAlerts is the number of alerts of a rule that sets no lower limit.
	maxAlerts = 1000
	// maxText is the highest size of a label or an annotation in bytes; more is cut.
	maxText = 4 << 10
)

// QueryFunc evaluates an expression at a time, over event time. It is safe for concurrent use.
type QueryFunc func(ctx context.Context, expr string, at time.Time) (promql.Vector, annotations.Annotations, error)

// rule is a rule as it is evaluated.
type rule struct {
	rulefile.Rule
	key   string // in the record of the group
	expr  string // does not see the events of its own group
	limit int
	// window is how far back the rule looks, where it must have been watched; else zero.
	window time.Duration
}

// environment is what templates see beside the alert.
type environment struct {
	query          QueryFunc
	externalLabels map[string]string
	externalURL    *url.URL
}

// errNotWatched means that an expression holds that says nothing yet: its window began before
// the store was watched.
var errNotWatched = errors.New("not known yet: the window of the expression began before the events that are kept, and before the rule was watched")

// evaluate asks the expression, and returns the alerts that hold, by fingerprint.
func (r *rule) evaluate(ctx context.Context, env *environment, now time.Time, offset time.Duration) (_ map[string]Alert, err error) {
	defer func() {
		if panicked := recover(); panicked != nil { // one rule must not end the others
			err = fmt.Errorf("the evaluation failed: %v", panicked)
		}
	}()
	vector, _, err := env.query(ctx, r.expr, now.Add(-offset))
	if err != nil {
		return nil, err
	}
	if len(vector) > r.limit {
		return nil, fmt.Errorf("gives %d alerts, more than the limit of %d", len(vector), r.limit)
	}
	found := make(map[string]Alert, len(vector))
	for i := range vector {
		a := r.expand(ctx, env, now, offset, &vector[i])
		mark := fingerprint(a.Labels)
		if _, twice := found[mark]; twice {
			return nil, errors.New("gives two alerts with the same labels, after those of the rule were applied")
		}
		found[mark] = a
	}
	return found, nil
}

// expand makes the alert of a sample. A template that fails leaves its error as text, as
// Prometheus does: an alert with a bad text is better than none.
func (r *rule) expand(ctx context.Context, env *environment, now time.Time, offset time.Duration, sample *promql.Sample) Alert {
	data := template.AlertTemplateData(sample.Metric.Map(), env.externalLabels, env.externalURL.String(), *sample)
	query := func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		vector, _, err := env.query(ctx, expr, at.Add(-offset))
		return vector, err
	}
	text := func(s string) string {
		const defs = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
		out, err := template.NewTemplateExpander(ctx, defs+s, "__alert_"+r.Alert, data, model.Time(timestamp.FromTime(now)), query, env.externalURL, nil).Expand()
		if err != nil {
			out = fmt.Sprintf("<error expanding template: %v>", err)
		}
		if len(out) > maxText {
			out = strings.ToValidUTF8(out[:maxText], "")
		}
		return out
	}
	all := map[string]string{}
	for name, value := range env.externalLabels {
		all[name] = value
	}
	sample.Metric.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			all[l.Name] = l.Value
		}
	})
	for name, value := range r.Labels {
		all[name] = text(value)
	}
	all[model.AlertNameLabel] = r.Alert
	for name, value := range all {
		if value == "" {
			delete(all, name) // an empty label is none
		}
	}
	notes := make(map[string]string, len(r.Annotations))
	for name, value := range r.Annotations {
		notes[name] = text(value)
	}
	return Alert{Labels: all, Annotations: notes, State: Pending, Value: Number(sample.F), ActiveAt: now}
}

// advance moves the alerts of a rule on, by what holds now, and returns those that began to fire
// and those that ended. Unless may new alerts do not begin.
func (r *rule) advance(active, found map[string]Alert, now time.Time, may bool) (changed []Alert) {
	for mark, a := range found {
		known, ok := active[mark]
		switch {
		case ok && known.State != Inactive:
			known.Value, known.Annotations, known.KeepFiringSince = a.Value, a.Annotations, time.Time{}
			active[mark] = known
		case may:
			active[mark] = a
		}
	}
	for mark, a := range active {
		_, holds := found[mark]
		switch {
		case holds && a.State == Pending && now.Sub(a.ActiveAt) >= r.For:
			a.State, a.FiredAt = Firing, now
			changed = append(changed, a)
		case holds:
		case a.State == Pending:
			delete(active, mark)
			continue
		case a.State == Inactive:
			if now.Sub(a.ResolvedAt) > resolvedRetention {
				delete(active, mark)
			}
			continue
		default:
			if a.KeepFiringSince.IsZero() {
				a.KeepFiringSince = now
			}
			if now.Sub(a.KeepFiringSince) >= r.KeepFiringFor {
				a.State, a.ResolvedAt, a.KeepFiringSince, a.sent = Inactive, now, time.Time{}, time.Time{}
				changed = append(changed, a)
			}
		}
		active[mark] = a
	}
	return changed
}
