package rulefile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/isbl/telemetry/internal/promexpr"
)

// typeLabel is the label of the event type.
const typeLabel = "event_type"

// EventType is the type of the events that tell of an alert: alert., and its name in lower snake
// case. BackupMissing has alert.backup_missing.
func EventType(alert string) string {
	var b strings.Builder
	runes := []rune(alert)
	gap := false
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = b.Len() > 0
			continue
		}
		if unicode.IsUpper(r) && i > 0 && b.Len() > 0 {
			after := runes[i-1]
			begins := unicode.IsLower(after) || unicode.IsDigit(after)
			ends := unicode.IsUpper(after) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
			gap = gap || begins || ends
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	if b.Len() == 0 {
		return "alert.unnamed"
	}
	return "alert." + b.String()
}

// Without returns an expression whose selectors never see some event types. Selectors that name
// another type stay as they are.
func Without(expr string, types []string) (string, error) {
	parsed, err := promexpr.Parser().ParseExpr(expr)
	if err != nil {
		return "", err
	}
	quoted := make([]string, len(types))
	for i, t := range types {
		quoted[i] = strings.ReplaceAll(t, ".", `\.`) // names have letters, digits and _ otherwise
	}
	slices.Sort(quoted)
	exclude, err := labels.NewMatcher(labels.MatchNotRegexp, typeLabel, strings.Join(slices.Compact(quoted), "|"))
	if err != nil {
		return "", fmt.Errorf("exclude own events: %w", err)
	}
	changed := false
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if ok && slices.ContainsFunc(types, func(t string) bool { return matchesType(selector, t) }) {
			selector.LabelMatchers = append(selector.LabelMatchers, exclude)
			changed = true
		}
		return nil
	})
	if !changed {
		return expr, nil
	}
	return parsed.String(), nil
}

// matchesType says whether a selector can give events of a type.
func matchesType(selector *parser.VectorSelector, eventType string) bool {
	for _, m := range selector.LabelMatchers {
		if m.Name == typeLabel && !m.Matches(eventType) {
			return false
		}
	}
	return true
}

// Named returns the event types that the selectors of rules name, sorted. A rule about one of them
// may wait for an event that never was, or is no longer kept.
func Named(groups []Group) []string {
	var types []string
	for i := range groups {
		for j := range groups[i].Rules {
			parser.Inspect(groups[i].Rules[j].Parsed, func(node parser.Node, _ []parser.Node) error {
				selector, ok := node.(*parser.VectorSelector)
				if !ok {
					return nil
				}
				for _, m := range selector.LabelMatchers {
					if m.Name == typeLabel {
						types = append(types, named(m)...)
					}
				}
				return nil
			})
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// named returns the values that a matcher lists: one, or those of a|b.
func named(m *labels.Matcher) []string {
	switch m.Type {
	case labels.MatchEqual:
		return []string{m.Value}
	case labels.MatchRegexp:
		return m.SetMatches()
	default:
		return nil
	}
}
