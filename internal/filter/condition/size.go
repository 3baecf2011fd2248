package condition

import (
	"errors"
	"fmt"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventlog"
)

// Limits of what a condition is decided for, beside those of single functions. An event above
// them is undecided.
const (
	// maxCompared bounds the values of an event whose maps and lists are compared: two maps are
	// compared in quadratic time.
	maxCompared = 256
	// maxWritten bounds the bytes of a map or list that is written as text.
	maxWritten = 64 << 10
	// valueBytes is what a value counts for beside its text.
	valueBytes = 8
)

var (
	errCompared = fmt.Errorf("the event has more than %d values, too many to compare maps and lists", maxCompared)
	errWritten  = fmt.Errorf("a map or list of more than %d bytes is too large to be made a text", maxWritten)
	errLiteral  = errors.New("a list or map of the condition is no text")
)

// room is how much of values may follow.
type room struct{ values, bytes int }

func (r *room) left() bool { return r.values >= 0 && r.bytes >= 0 }

// takeValue takes the room of v and of the values in it, until none is left.
func (r *room) takeValue(v pcommon.Value) {
	r.values--
	r.bytes -= valueBytes
	switch v.Type() {
	case pcommon.ValueTypeStr:
		r.bytes -= len(v.Str())
	case pcommon.ValueTypeBytes:
		r.bytes -= v.Bytes().Len()
	case pcommon.ValueTypeMap:
		r.takeMap(v.Map())
	case pcommon.ValueTypeSlice:
		r.takeSlice(v.Slice())
	}
}

func (r *room) takeMap(m pcommon.Map) {
	for name, v := range m.All() {
		r.bytes -= len(name)
		if r.takeValue(v); !r.left() {
			return
		}
	}
}

func (r *room) takeSlice(s pcommon.Slice) {
	for _, v := range s.All() {
		if r.takeValue(v); !r.left() {
			return
		}
	}
}

// comparable says whether an event is small enough to compare its maps and lists.
func comparable(ref eventlog.Ref) bool {
	r := room{values: maxCompared, bytes: math.MaxInt}
	r.takeMap(ref.Record.Attributes())
	r.takeMap(ref.Resource.Resource().Attributes())
	r.takeMap(ref.Scope.Scope().Attributes())
	r.takeValue(ref.Record.Body())
	return r.left()
}

// checkWritten says whether a value that is to become a text is too large for that.
func checkWritten(value any) error {
	r := room{values: math.MaxInt, bytes: maxWritten}
	switch v := value.(type) {
	case pcommon.Map:
		r.takeMap(v)
	case pcommon.Slice:
		r.takeSlice(v)
	case []any, map[string]any: // written in the condition, they may hold the whole event many times
		return errLiteral
	}
	if !r.left() {
		return errWritten
	}
	return nil
}
