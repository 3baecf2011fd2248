package condition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// logContext is what OTTL calls a record that it evaluates a condition on.
type logContext = *ottllog.TransformContext

// factories are the functions that a condition may call: their time and memory are at most
// proportional to the event, and their result is not larger than the event. What multiplies,
// decodes or parses is left out, and so is what returns another result each time.
func factories() []ottl.Factory[logContext] {
	return []ottl.Factory[logContext]{
		// text
		containsValueFactory(),
		ottlfuncs.NewHasPrefixFactory[logContext](),
		ottlfuncs.NewHasSuffixFactory[logContext](),
		indexFactory(),
		ottlfuncs.NewIsEmptyFactory[logContext](),
		isMatchFactory(),
		ottlfuncs.NewLenFactory[logContext](),
		ottlfuncs.NewSubstringFactory[logContext](),
		ottlfuncs.NewToLowerCaseFactory[logContext](),
		ottlfuncs.NewToUpperCaseFactory[logContext](),
		trimFactory(),
		ottlfuncs.NewTrimPrefixFactory[logContext](),
		ottlfuncs.NewTrimSuffixFactory[logContext](),
		// types
		ottlfuncs.NewBoolFactory[logContext](),
		ottlfuncs.NewDoubleFactory[logContext](),
		ottlfuncs.NewIntFactory[logContext](),
		stringFactory(),
		ottlfuncs.NewIsBoolFactory[logContext](),
		ottlfuncs.NewIsDoubleFactory[logContext](),
		ottlfuncs.NewIsIntFactory[logContext](),
		ottlfuncs.NewIsListFactory[logContext](),
		ottlfuncs.NewIsMapFactory[logContext](),
		ottlfuncs.NewIsStringFactory[logContext](),
		// time
		ottlfuncs.NewNowFactory[logContext](),
		timeFactory(),
		ottlfuncs.NewFormatTimeFactory[logContext](),
		ottlfuncs.NewTruncateTimeFactory[logContext](),
		ottlfuncs.NewDurationFactory[logContext](),
		ottlfuncs.NewUnixFactory[logContext](),
		ottlfuncs.NewUnixMicroFactory[logContext](),
		ottlfuncs.NewUnixMilliFactory[logContext](),
		ottlfuncs.NewUnixNanoFactory[logContext](),
		ottlfuncs.NewUnixSecondsFactory[logContext](),
		ottlfuncs.NewYearFactory[logContext](),
		ottlfuncs.NewMonthFactory[logContext](),
		ottlfuncs.NewDayFactory[logContext](),
		ottlfuncs.NewWeekdayFactory[logContext](),
		ottlfuncs.NewHourFactory[logContext](),
		ottlfuncs.NewMinuteFactory[logContext](),
		ottlfuncs.NewSecondFactory[logContext](),
		ottlfuncs.NewNanosecondFactory[logContext](),
		ottlfuncs.NewHoursFactory[logContext](),
		ottlfuncs.NewMinutesFactory[logContext](),
		ottlfuncs.NewSecondsFactory[logContext](),
		ottlfuncs.NewMillisecondsFactory[logContext](),
		ottlfuncs.NewMicrosecondsFactory[logContext](),
		ottlfuncs.NewNanosecondsFactory[logContext](),
		// ours
		sourceFactory(),
		// ids and addresses
		ottlfuncs.NewTraceIDFactory[logContext](),
		ottlfuncs.NewSpanIDFactory[logContext](),
		ottlfuncs.NewIsInCIDRFactory[logContext](),
	}
}

// allowed are the functions by name.
var allowed = sync.OnceValue(func() map[string]ottl.Factory[logContext] {
	byName := map[string]ottl.Factory[logContext]{}
	for _, f := range factories() {
		byName[f.Name()] = interruptible(f)
	}
	return byName
})

var functionNames = sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(allowed())) })

// Functions lists the names of the functions that a condition may call, in order. The caller must
// not change the list.
func Functions() []string { return functionNames() }

// interruptible makes each call of a function look at the context first.
func interruptible(f ottl.Factory[logContext]) ottl.Factory[logContext] {
	return ottl.NewFactory(f.Name(), f.CreateDefaultArguments(),
		func(set ottl.FunctionContext, args ottl.Arguments) (ottl.ExprFunc[logContext], error) {
			call, err := f.CreateFunction(set, args)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context, record logContext) (any, error) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				return call(ctx, record)
			}, nil
		})
}

// newFactory is ottl.NewFactory for a function whose arguments are an A.
func newFactory[A any](name string, create func(args *A) (ottl.ExprFunc[logContext], error)) ottl.Factory[logContext] {
	return ottl.NewFactory(name, new(A), func(_ ottl.FunctionContext, args ottl.Arguments) (ottl.ExprFunc[logContext], error) {
		typed, ok := args.(*A)
		if !ok {
			return nil, fmt.Errorf("arguments of %s are a %T", name, args)
		}
		return create(typed)
	})
}

// text returns a value as a text, as ottl.StringLikeGetter does. Maps and lists must not be too
// large; ok is false for nil.
func text(ctx context.Context, record logContext, value ottl.Getter[logContext]) (s string, ok bool, err error) {
	v, err := value.Get(ctx, record)
	if err != nil {
		return "", false, err
	}
	if err := checkWritten(v); err != nil {
		return "", false, err
	}
	like := ottl.StandardStringLikeGetter[logContext]{Getter: func(context.Context, logContext) (any, error) { return v, nil }}
	return like.Get(ctx, record)
}

type stringArguments struct{ Target ottl.Getter[logContext] }

// stringFactory makes String for values that are not too large.
func stringFactory() ottl.Factory[logContext] {
	return newFactory("String", func(args *stringArguments) (ottl.ExprFunc[logContext], error) {
		return func(ctx context.Context, record logContext) (any, error) {
			s, ok, err := text(ctx, record, args.Target)
			if err != nil || !ok {
				return nil, err
			}
			return s, nil
		}, nil
	})
}

// maxTime bounds the bytes of a text that Time reads: its errors repeat the text several times.
const maxTime = 256

// shortText refuses texts of more than maxTime bytes.
type shortText struct{ ottl.StringGetter[logContext] }

func (g shortText) Get(ctx context.Context, record logContext) (string, error) {
	s, err := g.StringGetter.Get(ctx, record)
	if err == nil && len(s) > maxTime {
		return "", fmt.Errorf("a text of %d bytes is too long for Time, which reads up to %d", len(s), maxTime)
	}
	return s, err
}

// timeFactory makes Time for texts of a length that times have.
func timeFactory() ottl.Factory[logContext] {
	return newFactory("Time", func(args *ottlfuncs.TimeArguments[logContext]) (ottl.ExprFunc[logContext], error) {
		return ottlfuncs.Time[logContext](shortText{args.Time}, args.Format, args.Location, args.Locale)
	})
}

type indexArguments struct {
	Target, Value ottl.StringGetter[logContext]
}

// indexFactory makes Index for texts. OTTL's own searches lists too, in quadratic time where they
// hold lists.
func indexFactory() ottl.Factory[logContext] {
	return newFactory("Index", func(args *indexArguments) (ottl.ExprFunc[logContext], error) {
		return func(ctx context.Context, record logContext) (any, error) {
			target, err := args.Target.Get(ctx, record)
			if err != nil {
				return nil, err
			}
			value, err := args.Value.Get(ctx, record)
			if err != nil {
				return nil, err
			}
			return int64(strings.Index(target, value)), nil
		}, nil
	})
}

type containsValueArguments struct {
	Target ottl.PSliceGetter[logContext]
	Item   ottl.Getter[logContext]
}

var errItem = errors.New("ContainsValue finds texts, numbers, truth values and nil, not lists, maps or bytes")

// containsValueFactory makes ContainsValue for values that are no lists or maps, which OTTL's own
// compares in quadratic time.
func containsValueFactory() ottl.Factory[logContext] {
	comparator := ottl.NewValueComparator()
	return newFactory("ContainsValue", func(args *containsValueArguments) (ottl.ExprFunc[logContext], error) {
		return func(ctx context.Context, record logContext) (any, error) {
			list, err := args.Target.Get(ctx, record)
			if err != nil {
				return nil, err
			}
			item, err := args.Item.Get(ctx, record)
			if err != nil {
				return nil, err
			}
			switch item.(type) {
			case string, int64, float64, bool, nil:
			default:
				return nil, errItem
			}
			for _, v := range list.All() {
				if t := v.Type(); t != pcommon.ValueTypeMap && t != pcommon.ValueTypeSlice && comparator.Equal(v.AsRaw(), item) {
					return true, nil
				}
			}
			return false, nil
		}, nil
	})
}

type trimArguments struct {
	Target      ottl.StringGetter[logContext]
	Replacement ottl.Optional[string]
}

// maxCutset bounds the characters that Trim removes: it looks for each character of the text in
// them.
const maxCutset = 16

// trimFactory makes Trim for few characters.
func trimFactory() ottl.Factory[logContext] {
	return newFactory("Trim", func(args *trimArguments) (ottl.ExprFunc[logContext], error) {
		cutset := args.Replacement.GetOr(" ")
		if len(cutset) > maxCutset {
			return nil, fmt.Errorf("the characters that Trim removes have %d bytes, but may have at most %d", len(cutset), maxCutset)
		}
		return func(ctx context.Context, record logContext) (any, error) {
			target, err := args.Target.Get(ctx, record)
			if err != nil {
				return nil, err
			}
			return strings.Trim(target, cutset), nil
		}, nil
	})
}
