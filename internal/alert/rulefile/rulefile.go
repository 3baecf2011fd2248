// Package rulefile reads alert rules in Prometheus's format.
//
// The format is parsed by Prometheus's own package, so promtool says the same about a file. What
// this product does not do is refused with a reason: recording rules, and more rules than one
// process should evaluate.
package rulefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/isbl/telemetry/internal/promexpr"
)

// Limits of what is read.
const (
	// MaxBytes is the highest size of a file.
	MaxBytes = 1 << 20
	// MaxRules is the number of rules of a file.
	MaxRules = 1000
	// MinInterval is the shortest interval of a group.
	MinInterval = time.Second
)

// Group is a list of rules that are evaluated one after the other.
type Group struct {
	File, Name string
	// Interval is the time between two evaluations; zero is the default of the evaluation.
	Interval time.Duration
	// QueryOffset is how long before now an evaluation looks; nil is the default.
	QueryOffset *time.Duration
	// Limit is the number of alerts that a rule may have; zero is the default.
	Limit int
	Rules []Rule
}

// Rule is one alert rule. Its labels include those of its group.
type Rule struct {
	Alert, Expr        string
	Parsed             parser.Expr
	For, KeepFiringFor time.Duration
	// Labels and Annotations are templates.
	Labels, Annotations map[string]string
	Line                int
}

// Error is what is wrong with a file.
type Error struct {
	File string
	// Group and Rule name the place; they are empty where the file as a whole is wrong.
	Group, Rule string
	// Line counts from 1; zero is unknown.
	Line int
	Err  error
}

// Error names the file, the line, the group and the rule, as far as they are known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Group != "" {
		fmt.Fprintf(&b, ": group %q", e.Group)
	}
	if e.Rule != "" {
		fmt.Fprintf(&b, ": rule %q", e.Rule)
	}
	return b.String() + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Parse reads the content of a file. The error joins an *Error for each fault that it finds.
func Parse(file string, content []byte) (_ []Group, err error) {
	defer func() {
		if panicked := recover(); panicked != nil { // YAML libraries did, on broken input
			err = &Error{File: file, Err: fmt.Errorf("is no YAML: %v", panicked)}
		}
	}()
	if len(content) > MaxBytes {
		return nil, &Error{File: file, Err: fmt.Errorf("has %d bytes, more than %d", len(content), MaxBytes)}
	}
	lines, err := findLines(content)
	if err != nil {
		return nil, &Error{File: file, Err: err}
	}
	p := promexpr.Parser()
	parsed, faults := rulefmt.Parse(content, false, model.UTF8Validation, p, slog.New(slog.DiscardHandler))
	var errs []error
	for _, fault := range faults {
		errs = append(errs, locate(file, lines, fault))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	rules := 0
	groups := make([]Group, 0, len(parsed.Groups))
	for g := range parsed.Groups {
		rules += len(parsed.Groups[g].Rules)
		group, faults := convert(file, &parsed.Groups[g], p, func(r int) int { return lines.rule(g, r) }, lines.group(g))
		errs = append(errs, faults...)
		groups = append(groups, group)
	}
	if rules > MaxRules {
		errs = append(errs, &Error{File: file, Err: fmt.Errorf("has %d rules, more than %d: split the file", rules, MaxRules)})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return groups, nil
}

// convert takes over what rulefmt found, and refuses what only Prometheus can do.
func convert(file string, in *rulefmt.RuleGroup, p parser.Parser, line func(rule int) int, groupLine int) (Group, []error) {
	var errs []error
	out := Group{File: file, Name: in.Name, Interval: time.Duration(in.Interval), Limit: in.Limit}
	if in.QueryOffset != nil {
		offset := time.Duration(*in.QueryOffset)
		out.QueryOffset = &offset
	}
	switch {
	case out.Interval != 0 && out.Interval < MinInterval:
		errs = append(errs, &Error{file, in.Name, "", groupLine, fmt.Errorf("`interval` is %v, but must be at least %v", out.Interval, MinInterval)})
	case in.Limit < 0:
		errs = append(errs, &Error{file, in.Name, "", groupLine, fmt.Errorf("`limit` is %d, but must be at least 0", in.Limit)})
	}
	for i := range in.Rules {
		r := &in.Rules[i]
		if r.Record != "" {
			errs = append(errs, &Error{file, in.Name, r.Record, line(i), errors.New(
				"is a recording rule, and there is no place for its series: only events are kept; write the expression into the alert, or let a Prometheus record it")})
			continue
		}
		expr, err := p.ParseExpr(r.Expr)
		if err == nil && expr.Type() != parser.ValueTypeVector && expr.Type() != parser.ValueTypeScalar {
			err = fmt.Errorf("the expression gives a %s, but an alert needs a vector or a scalar", expr.Type())
		}
		if err != nil {
			errs = append(errs, &Error{file, in.Name, r.Alert, line(i), err})
			continue
		}
		labels := map[string]string{}
		for name, value := range in.Labels {
			labels[name] = value
		}
		for name, value := range r.Labels {
			labels[name] = value
		}
		out.Rules = append(out.Rules, Rule{
			Alert: r.Alert, Expr: r.Expr, Parsed: expr, For: time.Duration(r.For), KeepFiringFor: time.Duration(r.KeepFiringFor),
			Labels: labels, Annotations: r.Annotations, Line: line(i),
		})
	}
	return out, errs
}

// places are where groups and rules begin.
type places struct {
	groups []int
	names  []string
	rules  [][]int
}

func (p places) group(g int) int {
	if g < len(p.groups) {
		return p.groups[g]
	}
	return 0
}

func (p places) rule(g, r int) int {
	if g < len(p.rules) && r < len(p.rules[g]) {
		return p.rules[g][r]
	}
	return 0
}

// findLines reads the lines of groups and rules. Whatever has another form than a file of rules
// is left to rulefmt, whose message is the better one.
func findLines(content []byte) (p places, err error) {
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	if err := decoder.Decode(&root); err != nil {
		return places{}, nil //nolint:nilerr // rulefmt says it
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return places{}, errors.New("has more than one YAML document: only the first would be read")
	}
	if len(root.Content) == 0 {
		return places{}, nil
	}
	for _, group := range sequence(root.Content[0], "groups") {
		p.groups = append(p.groups, group.Line)
		p.names = append(p.names, text(group, "name"))
		var rules []int
		for _, rule := range sequence(group, "rules") {
			rules = append(rules, rule.Line)
		}
		p.rules = append(p.rules, rules)
	}
	return p, nil
}

// sequence returns the elements of a key's list.
func sequence(node *yaml.Node, key string) []*yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key && node.Content[i+1].Kind == yaml.SequenceNode {
			return node.Content[i+1].Content
		}
	}
	return nil
}

// text returns the value of a key; "" without it.
func text(node *yaml.Node, key string) string {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1].Value
		}
	}
	return ""
}

// locate turns an error of rulefmt into one that names its place.
func locate(file string, lines places, err error) error {
	var at *rulefmt.Error
	if !errors.As(err, &at) {
		return &Error{File: file, Err: err}
	}
	line := 0
	for g := range lines.rules {
		// rulefmt names the group, not its place: take the first that has such a rule.
		if n := lines.rule(g, at.Rule-1); n > 0 && lines.names[g] == at.Group {
			line = n
			break
		}
	}
	return &Error{File: file, Group: at.Group, Rule: at.RuleName, Line: line, Err: &at.Err}
}
