package api

import (
	"errors"
	"strings"

	"github.com/isbl/telemetry/internal/question"
	"github.com/isbl/telemetry/internal/store"
)

const (
	// dataPrefix begins the parameters that ask for values of the data.
	dataPrefix = "data."
	// maxDataPath bounds the segments of such a path, and with them the work of finding it.
	maxDataPath = 12
)

func questionParameters() []parameter {
	return []parameter{
		{Name: "event_id", Description: "id of the event; may be repeated, or a list with commas", repeatable: true},
		{Name: "trace_id", Description: "trace that the event belongs to, 32 hexadecimal digits; may be repeated, or a list with commas", repeatable: true},
		{Name: dataPrefix + "<key>", Description: "value of the data, as in data.user.id=7: dots lead into nested maps; may be repeated for other values", repeatable: true},
		{Name: "where", Description: `OTTL condition on the log record, such as attributes["duration_ms"] > 100 and severity_number >= SEVERITY_NUMBER_ERROR; with or without "log." before its paths`},
	}
}

// question reads questionParameters; nil without them.
func (p *params) question() store.Question {
	spec := question.Spec{EventIDs: p.list("event_id"), TraceIDs: p.list("trace_id"), Where: p.values.Get("where")}
	for name, values := range p.values {
		path, found := strings.CutPrefix(name, dataPrefix)
		if !found {
			continue
		}
		if spec.Data == nil {
			spec.Data = map[string][]string{}
		}
		spec.Data[path] = values
	}
	if p.has("where") && spec.Where == "" {
		p.fail("where", "where is empty: leave it out, or write a condition")
	}
	q, err := ask(spec)
	var wrong *question.SpecError
	if errors.As(err, &wrong) {
		p.fail(wrong.Field, "%v", wrong)
	}
	return q
}

// ask returns the question of spec; nil, and not a nil pointer, when there is none.
func ask(spec question.Spec) (store.Question, error) {
	for path := range spec.Data {
		if !validPath(path) {
			return nil, &question.SpecError{
				Field: dataPrefix + path,
				Err:   errors.New("write a key after data., or up to 12 keys with dots between them"),
			}
		}
	}
	q, err := question.New(spec)
	if q == nil {
		return nil, err
	}
	return q, nil
}

func validPath(path string) bool {
	return path != "" && strings.Count(path, ".") < maxDataPath
}

// list reads a parameter that may be repeated, or hold a list with commas.
func (p *params) list(name string) (all []string) {
	for _, value := range p.values[name] {
		for element := range strings.SplitSeq(value, ",") {
			if element == "" {
				p.fail(name, "%s has an empty element", name)
			}
			all = append(all, element)
		}
	}
	return all
}

// some returns what an answer says of failures: nothing when there are none.
func some(f store.Failures) *store.Failures {
	if f.Events == 0 {
		return nil
	}
	return &f
}
