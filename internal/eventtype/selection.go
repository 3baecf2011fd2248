package eventtype

import (
	"fmt"
	"slices"
	"strings"
)

// Selection keeps the names that an include pattern covers and no exclude pattern does.
// Without include patterns it keeps all that are not excluded. A nil Selection keeps
// all. It is immutable and safe for concurrent use.
type Selection struct {
	include, exclude []Pattern
}

// NewSelection reads patterns. An error names the pattern by its place in its list,
// counted from 0.
func NewSelection(include, exclude []string) (*Selection, error) {
	in, err := parse(include)
	if err != nil {
		return nil, err
	}
	ex, err := parse(exclude)
	if err != nil {
		return nil, err
	}
	return &Selection{include: in, exclude: ex}, nil
}

func parse(texts []string) ([]Pattern, error) {
	patterns := make([]Pattern, 0, len(texts))
	for i, text := range texts {
		p, err := ParsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("pattern %d %q: %w", i, text, err)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

// Matches says whether the selection keeps name.
func (s *Selection) Matches(name string) bool {
	if s == nil {
		return true
	}
	covers := func(p Pattern) bool { return p.Matches(name) }
	return (len(s.include) == 0 || slices.ContainsFunc(s.include, covers)) && !slices.ContainsFunc(s.exclude, covers)
}

// All says whether the selection keeps every name. It is false for a selection that
// excludes something, also where that never occurs.
func (s *Selection) All() bool {
	if s == nil {
		return true
	}
	isStar := func(p Pattern) bool { return len(p.parts) > 1 && strings.Join(p.parts, "") == "" }
	return len(s.exclude) == 0 && (len(s.include) == 0 || slices.ContainsFunc(s.include, isStar))
}
