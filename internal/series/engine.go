// Package series shows the events of a store as time series to PromQL, with the engine of
// Prometheus. docs/promql.md says what the series are.
package series

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/isbl/telemetry/internal/budget"
	"github.com/isbl/telemetry/internal/promexpr"
	"github.com/isbl/telemetry/internal/store"
)

const (
	// rememberedPart is the part of the budget's size that what queries remember takes, beside it.
	rememberedPart = 2
	// maxTime is how long a query may take.
	maxTime = 20 * time.Second
)

// Options of an Engine.
type Options struct {
	// Store is read; the Engine does not close it. Required.
	Store *store.Store
	// MaxScan is how many events the blocks that a query opens may hold. Required.
	MaxScan uint64
	// Budget is the memory that queries take. Required.
	Budget *budget.Budget
	// Logger logs faults of the engine; nil logs nothing.
	Logger *slog.Logger
}

// Engine evaluates PromQL over the events of a store. It is safe for concurrent use.
type Engine struct {
	opts   Options
	parser parser.Parser
	engine *promql.Engine
	memory *memory
	named  atomic.Pointer[[]string]
}

// New returns an Engine.
func New(opts Options) *Engine {
	p := promexpr.Parser()
	return &Engine{
		opts: opts, parser: p, memory: newMemory(opts.Budget.Limit() / rememberedPart),
		engine: promql.NewEngine(promql.EngineOpts{
			Logger: opts.Logger, MaxSamples: maxSamples, Timeout: maxTime, LookbackDelta: promexpr.Lookback, Parser: p,
			NoStepSubqueryIntervalFn: func(int64) int64 { return noStep },
			EnableAtModifier:         true, EnableNegativeOffset: true,
		}),
	}
}

// KeepTypes names event types that have series of zeros where the store has no event of them, for
// as long as they are named: an alert on their absence goes on when retention removes the last one.
// It replaces those named before.
func (e *Engine) KeepTypes(eventTypes []string) { e.named.Store(&eventTypes) }

// Query is an expression with the times to evaluate it at.
type Query struct {
	Expr string
	// Start and End are the first and the last time, and Step the time between two. An instant
	// query has equal times, and no Step.
	Start, End time.Time
	Step       time.Duration
	// Lookback is how far back a selector without a range looks; zero is promexpr.Lookback.
	Lookback time.Duration
	// Timeout bounds the time; zero, and more than 20 s, is 20 s.
	Timeout time.Duration
}

// ErrExpression says that an expression is not valid.
var ErrExpression = errors.New("invalid expression")

// Exec evaluates a query, and passes the result to use; it is not valid afterwards. Errors:
// ErrExpression, those of the engine (such as promql.ErrQueryTimeout), *store.ScanLimitError,
// budget.ErrFull, store.ErrClosed, the context's, and those of the connection.
func (e *Engine) Exec(ctx context.Context, q Query, use func(*promql.Result) error) error {
	if q.Timeout > 0 && q.Timeout < maxTime {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.Timeout)
		defer cancel()
	}
	if q.Lookback <= 0 {
		q.Lookback = promexpr.Lookback
	}
	room := newRoom(e.opts.Budget)
	defer room.release()
	r := e.newReader(room)
	r.lookback = q.Lookback.Milliseconds()
	query, err := e.newQuery(ctx, q, r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrExpression, err)
	}
	defer query.Close()
	stmt, ok := query.Statement().(*parser.EvalStmt)
	if !ok {
		return fmt.Errorf("%w: it is no expression", ErrExpression)
	}
	if r.selectors, err = plan(stmt); err != nil {
		return err
	}
	result := query.Exec(ctx)
	if result.Err != nil {
		return result.Err
	}
	return use(result)
}

func (e *Engine) newQuery(ctx context.Context, q Query, r *reader) (promql.Query, error) {
	opts := promql.NewPrometheusQueryOpts(false, q.Lookback)
	if q.Step == 0 {
		return e.engine.NewInstantQuery(ctx, r, opts, q.Expr, q.End)
	}
	return e.engine.NewRangeQuery(ctx, r, opts, q.Expr, q.Start, q.End, q.Step)
}

// Vector evaluates an expression at a time, as alerting rules do: a number is a vector of one
// sample without labels. The errors are those of Exec, and one for expressions of other kinds.
func (e *Engine) Vector(ctx context.Context, expr string, at time.Time) (vector promql.Vector, warnings annotations.Annotations, err error) {
	err = e.Exec(ctx, Query{Expr: expr, Start: at, End: at}, func(result *promql.Result) error {
		warnings = result.Warnings
		switch v := result.Value.(type) {
		case promql.Vector:
			vector = append(promql.Vector(nil), v...)
		case promql.Scalar:
			vector = promql.Vector{{T: v.T, F: v.V}}
		default:
			return fmt.Errorf("%w: the result is a %s, but must be a vector or a scalar", ErrExpression, v.Type())
		}
		return nil
	})
	return vector, warnings, err
}
