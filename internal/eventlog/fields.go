package eventlog

import (
	"encoding/hex"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/when"
)

// fields reads the entries of a map one by one and keeps the first fault.
type fields struct {
	entries map[string]any
	seen    int
	fault   *event.Fault
}

func (f *fields) take(name string) (any, bool) {
	v, ok := f.entries[name]
	if ok {
		f.seen++
	}
	return v, ok
}

// fail keeps what is wrong with an entry.
func (f *fields) fail(name string, fault *event.Fault) {
	if f.fault == nil && fault != nil {
		f.fault = fault.In(name)
	}
}

func (f *fields) text(name string) string {
	v, ok := f.take(name)
	s, isText := v.(string)
	if ok && !isText {
		f.fail(name, event.NewFault(event.ReasonKind, "must be text, not %T", v))
	}
	return s
}

func (f *fields) number(name string, low, high int64) int64 {
	v, ok := f.take(name)
	n, isNumber := v.(int64)
	if ok && (!isNumber || n < low || n > high) {
		f.fail(name, event.NewFault(event.ReasonValue, "must be a whole number from %d to %d", low, high))
	}
	return n
}

func (f *fields) count(name string) uint32 { return uint32(f.number(name, 0, math.MaxUint32)) }

func (f *fields) hex(name string, into []byte) {
	b, err := hex.DecodeString(f.text(name))
	if err != nil || len(b) != len(into) {
		f.fail(name, event.NewFault(event.ReasonValue, "must be %d hexadecimal digits", 2*len(into)))
		return
	}
	copy(into, b)
}

func (f *fields) time(name string) pcommon.Timestamp {
	t, err := when.RFC3339(f.text(name))
	if err != nil || !event.CanCarry(t) {
		f.fail(name, event.NewFault(event.ReasonValue, "must be a time in RFC 3339 between 1970 and 2554"))
		return 0
	}
	return pcommon.Timestamp(event.Nanoseconds(t))
}

func (f *fields) attributes(into pcommon.Map) {
	v, ok := f.take(event.MetaAttributes)
	if !ok {
		return
	}
	m, ok := v.(map[string]any)
	if !ok {
		f.fail(event.MetaAttributes, event.NewFault(event.ReasonKind, "must be a map, not %T", v))
		return
	}
	f.fail(event.MetaAttributes, putAll(into, m, 0))
}

// end returns the first fault; an entry without a meaning is one too.
func (f *fields) end() *event.Fault {
	if f.fault == nil && f.seen < len(f.entries) {
		names := event.Shorten(strings.Join(sortedKeys(f.entries), ", "))
		f.fault = event.NewFault(event.ReasonUnknown, "has an entry without a meaning among %s", names)
	}
	return f.fault
}
