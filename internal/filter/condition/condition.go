// Package condition evaluates conditions on events in OTTL, the language of the Collector's own
// components, at a bounded cost.
package condition

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/eventlog"
)

// Condition is an OTTL condition on log records. It is safe for concurrent use.
type Condition struct {
	parsed *ottl.Condition[logContext]
	// comparesValues means that maps and lists of the event may be compared.
	comparesValues bool
	// attributes and readsOnly are what Reads returns.
	attributes []string
	readsOnly  bool
}

// parser reads conditions, whose paths may start with a context such as `log.` or `resource.`.
var parser = sync.OnceValues(func() (ottl.Parser[logContext], error) {
	return ottllog.NewParser(allowed(), component.TelemetrySettings{Logger: zap.NewNop()})
})

// Parse reads a condition. A condition that is too large, or that calls a function which is not one
// of Functions, is an error.
func Parse(text string) (parsed *Condition, err error) {
	defer recoverInto(&err)
	switch {
	case len(text) > MaxBytes:
		return nil, fmt.Errorf("the condition has %d bytes, but may have at most %d", len(text), MaxBytes)
	case strings.TrimSpace(text) == "":
		return nil, errors.New("the condition is blank")
	}
	comparesValues, err := check(text)
	if err != nil {
		return nil, err
	}
	p, err := parser()
	if err != nil {
		return nil, err
	}
	condition, err := p.ParseCondition(text)
	if err != nil {
		return nil, withHint(err)
	}
	c := &Condition{parsed: condition, comparesValues: comparesValues}
	if !comparesValues { // their size is that of the whole event
		c.attributes, c.readsOnly = reads(text)
	}
	return c, nil
}

// Matches says whether an event fulfils the condition. Each function of the condition looks at
// ctx before it starts. An error is about this event alone: the condition cannot be decided for
// it, because a function does not take its values or they are too large, or because ctx is done.
func (c *Condition) Matches(ctx context.Context, ref eventlog.Ref) (matches bool, err error) {
	if c.comparesValues && !comparable(ref) {
		return false, errCompared
	}
	defer recoverInto(&err)
	record := ottllog.NewTransformContext(ref.Resource, ref.Scope, ref.Record)
	defer record.Close()
	return c.parsed.Eval(ctx, record)
}

// recoverInto makes an error of a panic, which is how OTTL answers values that it does not expect.
func recoverInto(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the condition fails: %v", r)
	}
}
