package rulefile

import (
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Window is how far back an expression looks: its longest range with the offsets and subqueries
// around it. lookback is how far a selector without a range looks.
func Window(expr parser.Expr, lookback time.Duration) time.Duration {
	longest := lookback
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		window := max(0, selector.OriginalOffset)
		ranged := false
		for _, above := range path {
			switch n := above.(type) {
			case *parser.MatrixSelector:
				window += n.Range
				ranged = true
			case *parser.SubqueryExpr:
				window += n.Range + max(0, n.OriginalOffset)
			}
		}
		if !ranged {
			window += lookback
		}
		longest = max(longest, window)
		return nil
	})
	return longest
}

// ClaimsAbsence says whether an expression can hold because there were few or no events: then it
// says nothing until its whole window was watched. It is false only for expressions of which more
// events cannot make less: more than a number of events.
func ClaimsAbsence(expr parser.Expr) bool { return !rises(expr) }

// functions of which the result grows with the events that they see.
var rising = map[string]bool{
	"rate": true, "increase": true, "irate": true, "count_over_time": true, "sum_over_time": true, "max_over_time": true,
	"present_over_time": true, "vector": true, "ceil": true, "floor": true, "round": true, "sort": true, "sort_desc": true,
}

// rises says whether more events only ever give more results, and higher ones.
func rises(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return rises(e.Expr)
	case *parser.NumberLiteral:
		return true
	case *parser.VectorSelector:
		return e.OriginalOffset == 0
	case *parser.MatrixSelector:
		return rises(e.VectorSelector)
	case *parser.AggregateExpr:
		switch e.Op {
		case parser.SUM, parser.MAX, parser.COUNT, parser.GROUP:
			return rises(e.Expr)
		}
		return false
	case *parser.Call:
		if !rising[e.Func.Name] {
			return false
		}
		for _, arg := range e.Args {
			if !rises(arg) {
				return false
			}
		}
		return true
	case *parser.BinaryExpr:
		literal, number := unwrap(e.RHS).(*parser.NumberLiteral)
		switch e.Op {
		case parser.GTR:
			return number && literal.Val >= 0 && !e.ReturnBool && rises(e.LHS)
		case parser.GTE:
			return number && literal.Val > 0 && !e.ReturnBool && rises(e.LHS)
		case parser.LAND, parser.LOR:
			return rises(e.LHS) && rises(e.RHS)
		case parser.ADD:
			return rises(e.LHS) && rises(e.RHS)
		case parser.MUL, parser.DIV:
			return number && literal.Val > 0 && rises(e.LHS)
		}
	}
	return false
}

func unwrap(expr parser.Expr) parser.Expr {
	for {
		p, ok := expr.(*parser.ParenExpr)
		if !ok {
			return expr
		}
		expr = p.Expr
	}
}
