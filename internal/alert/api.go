package alert

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The answers of Prometheus's API, of which the handler of queries writes the envelope.
type (
	apiAlert struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		State       State             `json:"state"`
		ActiveAt    time.Time         `json:"activeAt"`
		Value       string            `json:"value"`

		KeepFiringSince *time.Time `json:"keepFiringSince,omitempty"`
	}
	apiRule struct {
		State          State             `json:"state"`
		Name           string            `json:"name"`
		Query          string            `json:"query"`
		Duration       float64           `json:"duration"`
		KeepFiringFor  float64           `json:"keepFiringFor"`
		Labels         map[string]string `json:"labels"`
		Annotations    map[string]string `json:"annotations"`
		Alerts         []apiAlert        `json:"alerts"`
		Health         Health            `json:"health"`
		LastError      string            `json:"lastError,omitempty"`
		EvaluationTime float64           `json:"evaluationTime"`
		LastEvaluation time.Time         `json:"lastEvaluation"`
		Type           string            `json:"type"`
	}
	apiGroup struct {
		Name           string    `json:"name"`
		File           string    `json:"file"`
		Rules          []apiRule `json:"rules"`
		Interval       float64   `json:"interval"`
		Limit          int       `json:"limit"`
		EvaluationTime float64   `json:"evaluationTime"`
		LastEvaluation time.Time `json:"lastEvaluation"`
	}
)

// RulesData is the data of /prometheus/api/v1/rules. The parameters are Prometheus's: type,
// rule_name[], rule_group[], file[] and exclude_alerts.
func (m *Manager) RulesData(r *http.Request, q url.Values) (any, error) {
	all, err := m.Status(r.Context())
	if err != nil {
		return nil, err
	}
	without, _ := strconv.ParseBool(q.Get("exclude_alerts"))
	groups := []apiGroup{}
	chosen := func(name, value string) bool { return len(q[name]) == 0 || slices.Contains(q[name], value) }
	for i := range all {
		s := &all[i]
		if q.Get("type") == "record" || !chosen("rule_group[]", s.Name) || !chosen("file[]", s.File) {
			continue
		}
		g := apiGroup{Name: s.Name, File: s.File, Interval: s.Interval.Seconds(), Limit: s.Limit, LastEvaluation: s.At, Rules: []apiRule{}}
		for j := range s.Rules {
			if chosen("rule_name[]", s.Rules[j].Alert) {
				g.Rules = append(g.Rules, ruleData(&s.Rules[j], without))
				g.EvaluationTime += s.Rules[j].Took.Seconds()
			}
		}
		if len(g.Rules) > 0 || len(q["rule_name[]"]) == 0 {
			groups = append(groups, g)
		}
	}
	return map[string]any{"groups": groups}, nil
}

// AlertsData is the data of /prometheus/api/v1/alerts.
func (m *Manager) AlertsData(r *http.Request) (any, error) {
	all, err := m.Status(r.Context())
	if err != nil {
		return nil, err
	}
	alerts := []apiAlert{}
	for i := range all {
		for j := range all[i].Rules {
			alerts = append(alerts, alertsData(all[i].Rules[j].Alerts)...)
		}
	}
	return map[string]any{"alerts": alerts}, nil
}

func ruleData(s *RuleStatus, without bool) apiRule {
	out := apiRule{
		State: Inactive, Name: s.Alert, Query: s.Expr, Duration: s.For.Seconds(), KeepFiringFor: s.KeepFiringFor.Seconds(), Labels: notNil(s.Labels),
		Annotations: notNil(s.Annotations), Health: s.Health, LastError: s.Error, EvaluationTime: s.Took.Seconds(), LastEvaluation: s.At, Type: "alerting",
	}
	for i := range s.Alerts {
		if out.State != Firing {
			out.State = s.Alerts[i].State
		}
	}
	if !without {
		out.Alerts = alertsData(s.Alerts)
	}
	return out
}

func alertsData(alerts []Alert) []apiAlert {
	out := make([]apiAlert, 0, len(alerts))
	for i := range alerts {
		a := &alerts[i]
		value, _ := a.Value.MarshalText()
		one := apiAlert{Labels: a.Labels, Annotations: notNil(a.Annotations), State: a.State, ActiveAt: a.ActiveAt, Value: string(value)}
		if !a.KeepFiringSince.IsZero() {
			one.KeepFiringSince = &a.KeepFiringSince
		}
		out = append(out, one)
	}
	return out
}

func notNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
