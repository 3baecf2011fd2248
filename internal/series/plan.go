package series

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql/parser"
)

// window is the times that one evaluation of a selector looks at, in milliseconds since 1970: after
// from, up to to. They are equal for a selector that wants the last value.
type window struct{ from, to int64 }

// selector is a selector of an expression, with what its evaluation will look at.
type selector struct {
	node *parser.VectorSelector
	// windows are in order of evaluation. Their ends are those that the engine computes: see
	// planner.
	windows []window
	// ranged says that the selector has a range.
	ranged bool
	// labels are those that its series need; the others are summed over.
	labels labelSet
	// differences says that only differences between values count, not values.
	differences bool
}

// maxWindows is how many times the selectors of a query are evaluated together.
const maxWindows = 500_000

// plan lists the selectors of a statement in the order in which the engine selects their series.
func plan(stmt *parser.EvalStmt) ([]selector, error) {
	start, end := timestamp.FromTime(stmt.Start), timestamp.FromTime(stmt.End)
	p := planner{}
	step := stmt.Interval.Milliseconds()
	if stmt.Interval == 0 {
		step = 1
	}
	p.walk(stmt.Expr, nil, grid{start, end, step, start, 0})
	return p.selectors, p.err
}

// grid is the times at which a part of an expression is evaluated.
type grid struct {
	start, end, step int64
	// at is the time from which the engine computed the offsets of what has an @ modifier, and
	// from how many nodes of the path it looks at then.
	at   int64
	path int
}

// planner follows the evaluation of an expression: subqueries have their own times, @ and offset
// move them. It mirrors runSubquery and setOffsetForAtModifier of the engine.
type planner struct {
	selectors []selector
	windows   int
	err       error
}

func (p *planner) walk(node parser.Node, path []parser.Node, g grid) {
	inner := append(slices.Clip(path), node)
	switch n := node.(type) {
	case *parser.StepInvariantExpr:
		g.end = g.start
	case *parser.SubqueryExpr:
		offset := g.offset(n.Timestamp, n.OriginalOffset, path)
		g = g.subquery(n, offset, len(inner))
	case *parser.MatrixSelector:
		vs := n.VectorSelector.(*parser.VectorSelector)
		p.add(vs, g.offset(vs.Timestamp, vs.OriginalOffset, inner), n.Range.Milliseconds(), inner, g)
		return
	case *parser.VectorSelector:
		p.add(n, g.offset(n.Timestamp, n.OriginalOffset, path), 0, path, g)
		return
	}
	for child := range parser.ChildrenIter(node) {
		p.walk(child, inner, g)
	}
}

func (p *planner) add(n *parser.VectorSelector, offset, width int64, path []parser.Node, g grid) {
	s := selector{node: n, ranged: width > 0, labels: neededLabels(path), differences: differencesOnly(path)}
	if g.end >= g.start {
		p.windows += int((g.end-g.start)/g.step) + 1
	}
	if p.windows > maxWindows {
		p.err = fmt.Errorf("the expression looks at more than %d times: choose a longer step, also of subqueries, or a shorter range", maxWindows)
		return
	}
	for at := g.start; at <= g.end; at += g.step {
		s.windows = append(s.windows, window{at - offset - width, at - offset})
	}
	p.selectors = append(p.selectors, s)
}

// noStep is the step of a subquery that has none.
const noStep = int64(time.Minute / time.Millisecond)

// subquery returns the times at which the expression of a subquery is evaluated.
func (g grid) subquery(n *parser.SubqueryExpr, offset int64, path int) grid {
	end := g.end
	if g.step > 0 {
		end = g.start + (g.end-g.start)/g.step*g.step
	}
	out := grid{end: end - offset, step: n.Step.Milliseconds(), at: g.at, path: g.path}
	if out.step == 0 {
		out.step = noStep
	}
	from := g.start - offset - n.Range.Milliseconds()
	if out.start = out.step * (from / out.step); out.start <= from {
		out.start += out.step
	}
	if out.start != g.start {
		out.at, out.path = out.start, path
	}
	return out
}

// offset is the offset of a node below path, in milliseconds, with its @ modifier counted in.
func (g grid) offset(ts *int64, original time.Duration, path []parser.Node) int64 {
	if ts == nil {
		return original.Milliseconds()
	}
	var outer int64
	var outerTs *int64
	for _, node := range path[g.path:] {
		if n, ok := node.(*parser.SubqueryExpr); ok {
			outer += n.OriginalOffset.Milliseconds()
			if n.Timestamp != nil {
				outer, outerTs = n.OriginalOffset.Milliseconds(), n.Timestamp
			}
		}
	}
	if outerTs != nil {
		outer += g.at - *outerTs
	}
	return original.Milliseconds() + g.at - *ts - outer
}

// linear are the functions whose sum over series is what they are of the sum.
var linear = []string{"rate", "increase"}

// differenceFunctions do not change when all values grow by the same.
var differenceFunctions = []string{"rate", "increase", "delta", "irate", "idelta", "resets", "changes", "deriv"}

// neededLabels returns the labels of the series of a selector below path that the result depends
// on. Series are only put together where their values are added in any case: in the sum of rates
// and increases, and of the counters themselves.
func neededLabels(path []parser.Node) labelSet {
	ranged, called := false, false
	for _, node := range slices.Backward(path) {
		switch n := node.(type) {
		case *parser.MatrixSelector:
			ranged = true
		case *parser.StepInvariantExpr, *parser.ParenExpr:
		case *parser.Call:
			if !ranged || called || !slices.Contains(linear, n.Func.Name) {
				return allLabels
			}
			called = true
		case *parser.AggregateExpr:
			if n.Op != parser.SUM || ranged && !called {
				return allLabels
			}
			if n.Without {
				return allLabels &^ labelsOf(n.Grouping)
			}
			return labelsOf(n.Grouping)
		default:
			return allLabels
		}
	}
	return allLabels
}

// differencesOnly says whether a selector below path is the argument of one of differenceFunctions.
func differencesOnly(path []parser.Node) bool {
	for _, node := range slices.Backward(path) {
		switch n := node.(type) {
		case *parser.MatrixSelector, *parser.StepInvariantExpr, *parser.ParenExpr:
		case *parser.Call:
			return slices.Contains(differenceFunctions, n.Func.Name)
		default:
			return false
		}
	}
	return false
}
