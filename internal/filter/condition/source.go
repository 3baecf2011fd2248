package condition

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"

	"github.com/isbl/telemetry/internal/eventlog"
)

type noArguments struct{}

// sourceFactory is Source(), the source of the event. No path of OTTL names it: it is that of the
// resource, or of the scope where the resource has none.
func sourceFactory() ottl.Factory[logContext] {
	return newFactory("Source", func(*noArguments) (ottl.ExprFunc[logContext], error) {
		return func(_ context.Context, record logContext) (any, error) {
			return eventlog.SourceOf(record.GetResource(), record.GetInstrumentationScope()), nil
		}, nil
	})
}
