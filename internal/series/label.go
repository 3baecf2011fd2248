package series

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/isbl/telemetry/internal/dimension"
	"github.com/isbl/telemetry/internal/severity"
)

// Names of the metrics.
const (
	// Total counts what happened: sampled events weigh as many as they stand for.
	Total = "events_total"
	// Stored counts the events that are kept.
	Stored = "events_stored_total"
	// Field has the numbers of a field of the data.
	Field = "events_field"
)

// FieldLabel is the label of Field that names the field.
const FieldLabel = "field"

// labelSet is some of the labels of a series.
type labelSet uint8

const (
	labelType labelSet = 1 << iota
	labelCategory
	labelSource
	labelSeverity

	allLabels = labelType | labelCategory | labelSource | labelSeverity
)

// labelNames are the labels in the order of their bits.
var labelNames = dimension.Names

// labelsOf returns the labels with some names; others are no labels of ours.
func labelsOf(names []string) (set labelSet) {
	for i, name := range labelNames {
		if slices.Contains(names, name) {
			set |= 1 << i
		}
	}
	return set
}

// key is what tells series of a metric apart. What the series do not need is empty.
type key struct {
	eventType, source string
	severity          severity.Number
}

// severityLabel is the name of a severity as a label has it.
func severityLabel(n severity.Number) string { return strings.ToLower(n.Name()) }

// labels returns the labels of a series, in which key has those of set; field is empty except for
// Field.
func (k key) labels(metric, field string, set labelSet) labels.Labels {
	b := labels.NewScratchBuilder(6)
	b.Add(model.MetricNameLabel, metric)
	add := func(of labelSet, name, value string) {
		if set&of != 0 && value != "" {
			b.Add(name, value)
		}
	}
	add(labelType, "event_type", k.eventType)
	add(labelCategory, "category", dimension.Category(k.eventType))
	add(labelSource, "source", k.source)
	add(labelSeverity, "severity", severityLabel(k.severity))
	if field != "" {
		b.Add(FieldLabel, field)
	}
	b.Sort()
	return b.Labels()
}

// matchers are what a selector asks of the labels of one metric.
type matchers struct {
	byType, byCategory, bySource, bySeverity, byField []*labels.Matcher
	// none says that no series can match.
	none bool
}

// newMatchers sorts the matchers of a selector. The name of the metric is not looked at.
func newMatchers(list []*labels.Matcher) (m matchers) {
	for _, each := range list {
		switch each.Name {
		case model.MetricNameLabel:
		case "event_type":
			m.byType = append(m.byType, each)
		case "category":
			m.byCategory = append(m.byCategory, each)
		case "source":
			m.bySource = append(m.bySource, each)
		case "severity":
			m.bySeverity = append(m.bySeverity, each)
		case FieldLabel:
			m.byField = append(m.byField, each)
		default:
			m.none = m.none || !each.Matches("") // there is no such label
		}
	}
	return m
}

func matchesAll(list []*labels.Matcher, value string) bool {
	for _, m := range list {
		if !m.Matches(value) {
			return false
		}
	}
	return true
}

func (m *matchers) matchesType(eventType string) bool {
	return matchesAll(m.byType, eventType) && (m.byCategory == nil || matchesAll(m.byCategory, dimension.Category(eventType)))
}

func (m *matchers) matchesSource(source string) bool { return matchesAll(m.bySource, source) }

func (m *matchers) matchesSeverity(n severity.Number) bool {
	return m.bySeverity == nil || matchesAll(m.bySeverity, severityLabel(n))
}

// set is the labels that the matchers ask of.
func (m *matchers) set() (set labelSet) {
	for of, list := range map[labelSet][]*labels.Matcher{
		labelType: m.byType, labelCategory: m.byCategory, labelSource: m.bySource, labelSeverity: m.bySeverity,
	} {
		if list != nil {
			set |= of
		}
	}
	return set
}

// metricsOf returns which metrics the name of a selector matches.
func metricsOf(list []*labels.Matcher) (names []string) {
next:
	for _, name := range []string{Total, Stored, Field} {
		for _, m := range list {
			if m.Name == model.MetricNameLabel && !m.Matches(name) {
				continue next
			}
		}
		names = append(names, name)
	}
	return names
}
