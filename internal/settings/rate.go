package settings

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Rate is an entry of sampling_rates.
type Rate struct {
	EventType   string
	MinSeverity string
	Rate        float64
}

// UnmarshalYAML reads the entry, strictly: what it names must exist, and the rate must be there.
func (r *Rate) UnmarshalYAML(node *yaml.Node) error {
	entries := []Setting{
		{Key: "event_type", Into: &r.EventType, Want: "a pattern"},
		{Key: "min_severity", Into: &r.MinSeverity, Want: "a severity such as error"},
		{Key: "rate", Into: &r.Rate, Want: "the share of events to keep, 0.1 for 10 %"},
	}
	r.EventType = "*"
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: must be an entry like {event_type: \"metric.*\", rate: 0.1}", node.Line)
	}
	var keys []string
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if slices.Contains(keys, key.Value) {
			return fmt.Errorf("line %d: `%s` is written twice: remove one of them", key.Line, key.Value)
		}
		keys = append(keys, key.Value)
		if err := set(fmt.Sprintf("line %d: `%s`", key.Line, key.Value), key.Value, value, entries); err != nil {
			return err
		}
		if key.Value == "event_type" && r.EventType == "" {
			return fmt.Errorf("line %d: `event_type` is \"\": write a pattern, or leave it out for all types", key.Line)
		}
	}
	if !slices.Contains(keys, "rate") {
		return fmt.Errorf("line %d: `rate` is missing: write the share of events to keep, 0.1 for 10 %%", node.Line)
	}
	return nil
}
