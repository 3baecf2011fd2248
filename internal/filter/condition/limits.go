package condition

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a condition. They are checked before OTTL parses the text.
const (
	// MaxBytes is the length of a condition.
	MaxBytes = 4 << 10
	// MaxNesting is how deep brackets of all kinds nest.
	MaxNesting = 64
	// MaxCalls is the number of calls of functions.
	MaxCalls = 32
	// MaxSteps bounds the work of OTTL's parser, which takes about 2 µs a step. The parser tries
	// each alternative at each level again: a token costs one step, and one more for each
	// parenthesis around it; each call, index, list and map around it doubles that.
	MaxSteps = 5000
)

// checker checks the tokens of a condition against the limits, and the functions and paths that
// a condition may use.
type checker struct {
	text  string
	calls int
	steps int
	inner int    // open brackets that are not parentheses
	open  []open // brackets that are not closed yet

	before, last token
	// comparesValues means that a comparison may be one of maps or lists. It is none where one side
	// has a scalar next to the operator: the side is that scalar, or the result of arithmetic.
	comparesValues bool
	comparison     bool // last is an operator that compares, and what is before it no scalar
}

// open is an open bracket.
type open struct {
	token
	closing string
	inner   bool
}

// check refuses a text that would take too long to parse or to evaluate. comparesValues says
// whether it may compare maps or lists.
func check(text string) (comparesValues bool, err error) {
	c := checker{text: text}
	for pos := 0; ; {
		var t token
		if t, pos, err = scan(text, pos); err != nil {
			return false, err
		}
		if t.kind == end {
			break
		}
		if err := c.add(t); err != nil {
			return false, err
		}
	}
	if n := len(c.open); n > 0 {
		return false, c.errorAt(c.open[n-1].pos, "%s is not closed", c.open[n-1].text)
	}
	return c.comparesValues, nil
}

func (c *checker) add(t token) error {
	if c.steps += (1 + len(c.open) - c.inner) << c.inner; c.steps > MaxSteps {
		return c.errorAt(t.pos, "the condition is too large, or nests its functions and indexes too deeply")
	}
	c.comparesValues = c.comparesValues || c.comparison && !t.isScalar()
	c.comparison = t.kind == operator && !c.last.isScalar()
	before, last := c.before, c.last
	c.before, c.last = last, t
	switch t.text {
	case "(", "[", "{":
		return c.push(t, last)
	case ")", "]", "}":
		return c.pop(t)
	case "=>":
		return c.errorAt(t.pos, "a condition cannot define functions with =>")
	case "string":
		if last.text == "." && before.text == "body" {
			return c.errorAt(t.pos, "body.string is not allowed: write String(body)")
		}
	}
	return nil
}

func (c *checker) push(t, last token) error {
	b := open{token: t, closing: map[string]string{"(": ")", "[": "]", "{": "}"}[t.text], inner: true}
	if t.text == "(" {
		if b.inner = last.isName(); b.inner {
			if err := c.call(last); err != nil {
				return err
			}
		}
	}
	if b.inner {
		c.inner++
	}
	c.open = append(c.open, b)
	if len(c.open) > MaxNesting {
		return c.errorAt(t.pos, "the condition nests deeper than %d levels", MaxNesting)
	}
	return nil
}

func (c *checker) pop(t token) error {
	n := len(c.open) - 1
	if n < 0 || c.open[n].closing != t.text {
		return c.errorAt(t.pos, "%s closes nothing", t.text)
	}
	if c.open[n].inner {
		c.inner--
		if t.text == ")" {
			c.last.kind = result
		}
	}
	c.open = c.open[:n]
	return nil
}

func (c *checker) call(name token) error {
	if _, known := slices.BinarySearch(Functions(), name.text); !known {
		return c.errorAt(name.pos, "%.80s is not a function of conditions; these are: %s", name.text, strings.Join(Functions(), ", "))
	}
	if c.calls++; c.calls > MaxCalls {
		return c.errorAt(name.pos, "the condition calls more than %d functions", MaxCalls)
	}
	return nil
}

func (c *checker) errorAt(pos int, format string, args ...any) error {
	return errorAt(c.text, pos, format, args...)
}

// errorAt names the line and column of a place, as OTTL does.
func errorAt(text string, pos int, format string, args ...any) error {
	before := text[:pos]
	line := 1 + strings.Count(before, "\n")
	column := pos - strings.LastIndexByte(before, '\n')
	return fmt.Errorf("at %d:%d: %s", line, column, fmt.Sprintf(format, args...))
}
