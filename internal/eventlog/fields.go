package eventlog

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/event"
)

// fields reads the entries of a map one by one and keeps the first error.
type fields struct {
	of   map[string]any
	seen int
	err  error
}

func (f *fields) take(name string) (any, bool) {
	v, ok := f.of[name]
	if ok {
		f.seen++
	}
	return v, ok
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

func (f *fields) text(name string) string {
	v, ok := f.take(name)
	s, isText := v.(string)
	if ok && !isText {
		f.fail("must hold text under %s, not %T", name, v)
	}
	return s
}

func (f *fields) number(name string, low, high int64) int64 {
	v, ok := f.take(name)
	n, isNumber := v.(int64)
	if ok && (!isNumber || n < low || n > high) {
		f.fail("must hold a whole number from %d to %d under %s", low, high, name)
	}
	return n
}

func (f *fields) count(name string) uint32 { return uint32(f.number(name, 0, math.MaxUint32)) }

func (f *fields) hex(name string, into []byte) {
	b, err := hex.DecodeString(f.text(name))
	if err != nil || len(b) != len(into) {
		f.fail("must be %d hexadecimal digits", 2*len(into))
		return
	}
	copy(into, b)
}

func (f *fields) attributes(into pcommon.Map) {
	v, ok := f.take(event.MetaAttributes)
	if !ok {
		return
	}
	m, ok := v.(map[string]any)
	if !ok {
		f.fail("must hold a map under %s, not %T", event.MetaAttributes, v)
		return
	}
	if fault := putAll(into, m, 0); fault != nil {
		f.fail("cannot be kept: %w", fault.In(event.MetaAttributes))
	}
}

// end returns the first error; an entry that nobody asked for is one too.
func (f *fields) end() error {
	if f.err == nil && f.seen < len(f.of) {
		names := sortedKeys(f.of)
		f.fail("has an entry without a meaning among %s", event.Shorten(strings.Join(names, ", ")))
	}
	return f.err
}
