package promapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/promexpr"
	"github.com/isbl/telemetry/internal/series"
	"github.com/isbl/telemetry/internal/version"
)

// metrics describe the series.
var metrics = map[string]struct{ kind, help string }{
	series.Total:  {"counter", "Events by event time; an event that was sampled counts as many as it stands for."},
	series.Stored: {"counter", "Events that are kept, by event time."},
	series.Field:  {"gauge", `The numbers of a field of the data, each at the time of its event; a selector must say which: field="data.duration_ms".`},
}

// longAgo is the begin of a range that none is given for.
var longAgo = time.Unix(0, 0)

// selected is a metric with matchers, as one match[] of a request names it.
type selected struct {
	metric   string
	matchers []*labels.Matcher // without that of the name
}

func (s *selected) String() string {
	list := make([]string, len(s.matchers))
	for i, m := range s.matchers {
		list[i] = m.String()
	}
	return fmt.Sprintf("%s{%s}", s.metric, strings.Join(list, ","))
}

// hasField says whether a selector names the field that series.Field needs.
func (s *selected) hasField() bool {
	return slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool { return m.Name == series.FieldLabel && m.Type == labels.MatchEqual })
}

// selectors reads the parameters match[]. Those of series.Field without a field are left out:
// nothing can be looked up for them.
func (r *request) selectors(missing []string) ([]selected, error) {
	texts := r.q["match[]"]
	if len(texts) == 0 {
		texts = missing
	}
	var list []selected
	for _, text := range texts {
		parsed, err := promexpr.Parser().ParseMetricSelector(text)
		if err != nil {
			return nil, badData(`invalid parameter "match[]": %w`, err)
		}
		for _, metric := range slices.Sorted(maps.Keys(metrics)) {
			s := selected{metric: metric}
			matches := true
			for _, m := range parsed {
				if m.Name == model.MetricNameLabel {
					matches = matches && m.Matches(metric)
				} else {
					s.matchers = append(s.matchers, m)
				}
			}
			if matches && (metric != series.Field || s.hasField()) {
				list = append(list, s)
			}
		}
	}
	return list, nil
}

// lookup returns the labels, of those in by, of the series that a selector has in a range.
func (h *Handler) lookup(r *request, s selected, by []string) (found []labels.Labels, err error) {
	q, err := r.between(longAgo, time.Now())
	if err != nil {
		return nil, err
	}
	within := model.Duration(max(q.End.Sub(q.Start), time.Millisecond)).String()
	q.Start = q.End
	q.Expr = fmt.Sprintf("sum by (%s) (increase(%s[%s]))", strings.Join(by, ","), &s, within)
	if s.metric == series.Field {
		q.Expr = fmt.Sprintf("group by (%s) (last_over_time(%s[%s]))", strings.Join(by, ","), &s, within)
	}
	err = h.ask(r, q, func(res *promql.Result) error {
		vector, err := res.Vector()
		for _, sample := range vector {
			found = append(found, sample.Metric.Copy())
		}
		return err
	})
	return found, err
}

func (h *Handler) series(r *request) error {
	if len(r.q["match[]"]) == 0 {
		return badData(`invalid parameter "match[]": at least one is needed`)
	}
	list, err := r.selectors(nil)
	if err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	all := map[string]labels.Labels{}
	for _, s := range list {
		found, err := h.lookup(r, s, append([]string{series.FieldLabel}, dimension.Names...))
		if err != nil {
			return err
		}
		for _, l := range found {
			named := labels.NewBuilder(l).Set(model.MetricNameLabel, s.metric).Labels()
			all[named.String()] = named
		}
	}
	var out []labels.Labels
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[key])
	}
	return answerList(r, out, limit)
}

// labels lists the names of labels that the chosen metrics have.
func (h *Handler) labels(r *request) error {
	list, err := r.selectors([]string{series.Total, series.Stored})
	if err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	var names []string
	for _, s := range list {
		names = append(append(names, model.MetricNameLabel), dimension.Names...)
		if s.metric == series.Field {
			names = append(names, series.FieldLabel)
		}
	}
	slices.Sort(names)
	return answerList(r, slices.Compact(names), limit)
}

// labelValues lists the values of one label.
func (h *Handler) labelValues(r *request, name string) error {
	list, err := r.selectors([]string{series.Total})
	if err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	values := map[string]bool{} // none of the label field: the store has no list of fields
	switch {
	case name == model.MetricNameLabel:
		for metric := range metrics {
			if len(r.q["match[]"]) == 0 || slices.ContainsFunc(list, func(s selected) bool { return s.metric == metric }) {
				values[metric] = true
			}
		}
	case slices.Contains(dimension.Names, name):
		for _, s := range list {
			found, err := h.lookup(r, s, []string{name})
			if err != nil {
				return err
			}
			for _, l := range found {
				values[l.Get(name)] = true
			}
		}
	}
	delete(values, "")
	return answerList(r, slices.Sorted(maps.Keys(values)), limit)
}

// answerList writes at most limit values of a list; 0 is no limit.
func answerList[T any](r *request, list []T, limit int) error {
	var notes annotations.Annotations
	list, cut := atMost(list, limit)
	if cut {
		notes.Add(errTruncated)
	}
	body, err := encode(list, notes, "")
	if err != nil {
		return err
	}
	return r.write(body)
}

func metadata(r *request) error {
	type described struct {
		Type string `json:"type"`
		Help string `json:"help"`
		Unit string `json:"unit"`
	}
	data := map[string][]described{}
	for name, m := range metrics {
		if one := r.q.Get("metric"); one == "" || one == name {
			data[name] = []described{{Type: m.kind, Help: m.help}}
		}
	}
	return r.answer(data)
}

// engineVersion is the version of Prometheus whose engine answers: its Go module says v0.314.0.
const engineVersion = "3.14.0"

// buildInfo tells Grafana what it can ask for.
func buildInfo(r *request) error {
	return r.answer(map[string]string{"version": engineVersion, "revision": version.Number, "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""})
}

func (h *Handler) rules(r *request) error {
	if h.opts.Rules == nil {
		return r.answer(map[string]any{"groups": []any{}})
	}
	data, err := h.opts.Rules.RulesData(r.Request, r.q)
	if err != nil {
		return err
	}
	return r.answer(data)
}

func (h *Handler) alerts(r *request) error {
	if h.opts.Rules == nil {
		return r.answer(map[string]any{"alerts": []any{}})
	}
	data, err := h.opts.Rules.AlertsData(r.Request)
	if err != nil {
		return err
	}
	return r.answer(data)
}
