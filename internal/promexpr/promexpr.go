// Package promexpr is the PromQL that is spoken over events: what alert rules are checked by is
// what the engine evaluates.
package promexpr

import (
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Lookback is how far a selector without a range looks back, unless a query says otherwise.
const Lookback = 5 * time.Minute

// Parser returns the parser of expressions, with the extensions of PromQL that the engine knows.
func Parser() parser.Parser {
	return parser.NewParser(parser.Options{EnableExtendedRangeSelectors: true})
}
