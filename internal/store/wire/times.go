package wire

import (
	"strconv"
	"time"

	"github.com/isbl/telemetry/internal/event"
)

// times writes times. It keeps the text of the last second: neighbouring events often have the
// same.
type times struct {
	second uint64 // since 1970
	text   []byte // of it, without the time zone; nil for none
}

// append appends nanoseconds since 1970 as time.RFC3339Nano does, in quotes.
func (c *times) append(dst []byte, nanos uint64) []byte {
	const perSecond = uint64(time.Second)
	second, fraction := nanos/perSecond, nanos%perSecond
	if c.text == nil || second != c.second {
		c.second = second
		c.text = event.Time(nanos).AppendFormat(c.text[:0], "2006-01-02T15:04:05")
	}
	dst = append(append(dst, '"'), c.text...)
	if fraction > 0 {
		point := len(dst)
		dst = strconv.AppendUint(dst, perSecond+fraction, 10)
		dst[point] = '.' // instead of the one that keeps the zeros behind it
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return append(dst, 'Z', '"')
}
