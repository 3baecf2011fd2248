package condition

import (
	"context"
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
)

const (
	// MaxInstructions bounds a regular expression, in instructions of Go's regexp/syntax. A
	// character of the text costs at most as many steps.
	MaxInstructions = 500
	// maxSteps bounds the bytes of a text times the instructions of the pattern.
	maxSteps = 1 << 20
)

type isMatchArguments struct {
	Target  ottl.Getter[logContext]
	Pattern string // OTTL demands a literal for it
}

// isMatchFactory makes IsMatch for patterns that are known when the condition is parsed.
func isMatchFactory() ottl.Factory[logContext] {
	return newFactory("IsMatch", func(args *isMatchArguments) (ottl.ExprFunc[logContext], error) {
		pattern, instructions, err := compilePattern(args.Pattern)
		if err != nil {
			return nil, err
		}
		longest := maxSteps / instructions
		return func(ctx context.Context, record logContext) (any, error) {
			target, ok, err := text(ctx, record, args.Target)
			if err != nil {
				return nil, err
			}
			if len(target) > longest {
				return nil, fmt.Errorf("a text of %d bytes is too long for IsMatch with this pattern, which takes up to %d", len(target), longest)
			}
			return ok && pattern.MatchString(target), nil
		}, nil
	})
}

func compilePattern(pattern string) (*regexp.Regexp, int, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	if repeated := repetitions(parsed); repeated > MaxInstructions { // before it is written out
		return nil, 0, fmt.Errorf("the pattern %.40q compiles to more than %d instructions: repeat less", pattern, MaxInstructions)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, 0, err
	}
	if n := len(program.Inst); n > MaxInstructions {
		return nil, 0, fmt.Errorf("the pattern %.40q compiles to %d instructions, but may have at most %d", pattern, n, MaxInstructions)
	}
	compiled, err := regexp.Compile(pattern)
	return compiled, len(program.Inst), err
}

// repetitions is a lower bound of the instructions of an expression: its leaves, as often as they
// are repeated.
func repetitions(re *syntax.Regexp) int {
	if len(re.Sub) == 0 {
		if re.Op == syntax.OpLiteral {
			return len(re.Rune)
		}
		return 1
	}
	n := 0
	for _, sub := range re.Sub {
		n += repetitions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}
