// Package eventtype selects event types and sources by pattern.
package eventtype

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// MaxPatternBytes is the longest pattern.
const MaxPatternBytes = 1024

// Pattern is an exact name, or with '*' for zero or more characters, dots included. Case matters,
// and there is no other wildcard. A backslash before a star, a comma, a backslash, or what begins
// or ends a regular expression makes it stand for itself.
type Pattern struct {
	text  string
	parts []string // what lies between the stars, as it is in names: one for an exact name
}

// special are the characters that a backslash may stand before.
const special = `*,\^$/[](+`

// quotable finds what Quote writes a backslash before.
var quotable = regexp.MustCompile(`[*,\\[(+]|^[\^/]|[$/]$`)

// Quote returns the pattern that covers name alone.
func Quote(name string) string { return quotable.ReplaceAllString(name, `\$0`) }

// regular finds what people write who expect regular expressions, and what no name is like.
var regular = regexp.MustCompile(`^\^|[^\\]\$$|^/[^/]*[^/\\]/$|(^|[^\\])\[[^\]]*(\][+*{]|\w-\w)|(^|[^\\])\([^)]*\||\.\+`)

// ParsePattern reads a pattern. Its errors say what is wrong: a pattern that can match nothing is
// wrong too.
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
	case regular.MatchString(s):
		return Pattern{}, errors.New(`a pattern is no regular expression: * is its only wildcard, as in user.*; write \ before a character that stands for itself`)
	}
	parts, err := cut(s)
	return Pattern{text: s, parts: parts}, err
}

// cut cuts a pattern at its stars.
func cut(s string) (parts []string, err error) {
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '*':
			parts = append(parts, part.String())
			part.Reset()
		case ',':
			return nil, errors.New(`a pattern is one name: write each of several as a pattern of its own, or \, for a comma`)
		case '\\':
			if i++; i == len(s) || strings.IndexByte(special, s[i]) < 0 {
				return nil, errors.New(`a backslash stands before a character that is meant literally, such as \* or \,: write \\ for itself`)
			}
			part.WriteByte(s[i])
		default:
			part.WriteByte(c)
		}
	}
	return append(parts, part.String()), nil
}

func (p Pattern) String() string { return p.text }

// Matches says whether the pattern covers name. The zero Pattern matches only "".
func (p Pattern) Matches(name string) bool {
	switch len(p.parts) {
	case 0:
		return name == ""
	case 1:
		return name == p.parts[0]
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

// SplitList cuts a list at its commas, except where a backslash stands before one. What it returns
// are patterns, or texts for Unquote.
func SplitList(list string) (texts []string) {
	start := 0
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '\\':
			i++
		case ',':
			texts = append(texts, list[start:i])
			start = i + 1
		}
	}
	return append(texts, list[start:])
}

// listEscapes are those of a list of texts that are no patterns.
var listEscapes, listUnescapes = strings.NewReplacer(`\`, `\\`, `,`, `\,`), strings.NewReplacer(`\\`, `\`, `\,`, `,`)

// QuoteText returns a text as SplitList and UnquoteText read it.
func QuoteText(s string) string { return listEscapes.Replace(s) }

// UnquoteText returns what an element of a list means that is no pattern.
func UnquoteText(s string) string { return listUnescapes.Replace(s) }
