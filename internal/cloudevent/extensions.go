package cloudevent

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/sampling"
)

// moveExtensions makes metadata with a meaning of the extensions that have one. What would not come
// back as it was stays an extension as well, which counts then.
func (c *cloudEvent) moveExtensions(e *event.Event) {
	if parent, ok := c.extensions[extTraceParent].(string); ok {
		if trace, span, flags, ok := parseTraceParent(parent); ok {
			e.Metadata[event.MetaTraceID], e.Metadata[event.MetaSpanID] = trace, span
			if flags != 0 {
				e.Metadata[event.MetaTraceFlags] = flags
			}
			c.moved(extTraceParent, parent == formatTraceParent(trace, span, flags))
		}
	}
	if s, ok := c.extensions[extSeverityText].(string); ok && s != "" {
		e.Metadata[event.MetaSeverity] = s
		_, numbered := c.extensions[extSeverityNumber]
		c.moved(extSeverityText, numbered || event.SeverityOf(0, s) == 0) // a number that follows from the text did not come
	}
	const lowest, highest = 1, 24 // OpenTelemetry's
	if n, exact := c.number(extSeverityNumber); lowest <= n && n <= highest {
		e.Metadata[event.MetaSeverityNumber] = n
		c.moved(extSeverityNumber, exact)
	}
	n, exact := c.number(extSampledRate)
	if threshold, randomness, ok := sampling.FromRate(n, c.id.text); ok {
		e.Metadata[event.MetaSampling] = map[string]any{event.MetaThreshold: threshold, event.MetaRandomness: randomness}
		c.moved(extSampledRate, exact)
	}
}

// moved forgets an extension, unless it would not come back as it was.
func (c *cloudEvent) moved(name string, exact bool) {
	if exact {
		delete(c.extensions, name)
	}
}

// number is an extension that is a whole number, 0 for none. It comes back as a number: exact says
// that it came as one, or as the text that stands for it in a header.
func (c *cloudEvent) number(name string) (n int64, exact bool) {
	switch v := c.extensions[name].(type) {
	case int64:
		return v, true
	case string:
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			return 0, false
		}
		return n, c.text && strconv.FormatInt(n, 10) == v
	}
	return 0, false
}

// traceParent is that of W3C Trace Context, of versions to come too.
var traceParent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

func parseTraceParent(s string) (trace, span string, flags int64, ok bool) {
	m := traceParent.FindStringSubmatch(s)
	if m == nil || m[1] == "ff" || m[1] == "00" && m[5] != "" || isZero(m[2]) || isZero(m[3]) {
		return "", "", 0, false
	}
	flags, _ = strconv.ParseInt(m[4], 16, 32) // two hexadecimal digits
	return m[2], m[3], flags, true
}

func isZero(digits string) bool {
	b, _ := hex.DecodeString(digits)
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func formatTraceParent(trace, span string, flags int64) string {
	return fmt.Sprintf("00-%s-%s-%02x", trace, span, flags&0xff)
}
