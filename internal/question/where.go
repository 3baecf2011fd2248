package question

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/eventlog"
)

const (
	// maxWhere bounds the bytes of a condition, and with them how deep it nests.
	maxWhere = 4 << 10
	logPaths = "log" // OTTL's name for the context of log records
)

// condition is an OTTL condition.
type condition struct {
	parsed *ottl.Condition[*ottllog.TransformContext]
}

type conditions = []*ottl.Condition[*ottllog.TransformContext]

// parser reads conditions; paths without a context are those of the log record.
var parser = sync.OnceValues(func() (*ottl.ParserCollection[conditions], error) {
	settings := component.TelemetrySettings{Logger: zap.NewNop()}
	logs, err := ottllog.NewParser(ottlfuncs.StandardConverters[*ottllog.TransformContext](), settings, ottllog.EnablePathContextNames())
	if err != nil {
		return nil, err
	}
	return ottl.NewParserCollection(settings, ottl.WithParserCollectionContext(logPaths, &logs,
		ottl.WithConditionConverter(func(_ *ottl.ParserCollection[conditions], _ ottl.ConditionsGetter, parsed conditions) (conditions, error) {
			return parsed, nil
		})))
})

// parse returns nil for the empty condition.
func parse(where string) (*condition, error) {
	switch {
	case where == "":
		return nil, nil
	case len(where) > maxWhere:
		return nil, fmt.Errorf("the condition has %d bytes, but may have at most %d", len(where), maxWhere)
	case strings.TrimSpace(where) == "":
		return nil, errors.New("the condition is blank")
	}
	p, err := parser()
	if err != nil {
		return nil, err
	}
	parsed, err := p.ParseConditionsWithContext(logPaths, ottl.NewConditionsGetter([]string{where}), true)
	if err != nil {
		return nil, err
	}
	return &condition{parsed[0]}, nil
}

// eval returns an error where the condition means nothing for the event, whatever way OTTL
// says so.
func (c *condition) eval(ref eventlog.Ref) (matches bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			matches, err = false, fmt.Errorf("the condition fails: %v", r)
		}
	}()
	tCtx := ottllog.NewTransformContext(ref.Resource, ref.Scope, ref.Record)
	defer tCtx.Close()
	return c.parsed.Eval(context.Background(), tCtx)
}
