// Package eventtype selects event types and sources by pattern.
package eventtype

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// MaxPatternBytes is the longest pattern.
const MaxPatternBytes = 1024

// Pattern is an exact name, or with '*' for zero or more characters, dots included. Case
// matters, and there is no other wildcard.
type Pattern struct {
	text  string
	parts []string // what lies between the stars; nil for an exact name
}

// ParsePattern reads a pattern. Its errors say what is wrong.
func ParsePattern(s string) (Pattern, error) {
	switch {
	case s == "":
		return Pattern{}, errors.New("a pattern must not be empty: write a name, or * for all")
	case len(s) > MaxPatternBytes:
		return Pattern{}, fmt.Errorf("a pattern has at most %d bytes, this one %d", MaxPatternBytes, len(s))
	case strings.TrimSpace(s) != s:
		return Pattern{}, errors.New("a pattern must not start or end with white space")
	case strings.ContainsFunc(s, unicode.IsControl):
		return Pattern{}, errors.New("a pattern must not contain control characters")
	}
	p := Pattern{text: s}
	if strings.Contains(s, "*") {
		p.parts = strings.Split(s, "*")
	}
	return p, nil
}

func (p Pattern) String() string { return p.text }

// Matches says whether the pattern covers name. The zero Pattern matches only "".
func (p Pattern) Matches(name string) bool {
	if p.parts == nil {
		return name == p.text
	}
	first, last := p.parts[0], p.parts[len(p.parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range p.parts[1 : len(p.parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return true
}
