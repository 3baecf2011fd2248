package when

import (
	"errors"
	"strings"
	"time"
)

// Example is a time as RFC3339 reads it.
const Example = "2026-01-02T03:04:05.678Z"

// ErrNotRFC3339 says that a text is no time as RFC 3339 writes it.
var ErrNotRFC3339 = errors.New("not a time in RFC 3339, like " + Example)

// RFC3339 reads a time as RFC 3339 has it, and nothing else: with t and z in lower case, and with a
// leap second, which is the first instant after it. time.Parse differs in these, and takes a comma,
// hours of one digit and an offset of 24 hours. The error is ErrNotRFC3339.
func RFC3339(s string) (time.Time, error) {
	const shape = "0000-00-00t00:00:00"
	if len(s) <= len(shape) || !hasShape(s[:len(shape)], shape) || !hasOffset(s[len(shape):]) {
		return time.Time{}, ErrNotRFC3339
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	leap := time.Duration(0)
	if seconds := len(shape) - 2; s[seconds:len(shape)] == "60" {
		s, leap = s[:seconds]+"59"+s[len(shape):], time.Second
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
	if err != nil {
		return time.Time{}, ErrNotRFC3339
	}
	return t.Add(leap), nil
}

// hasShape reports whether s is like shape, where 0 is any digit and t is in any case.
func hasShape(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; shape[i] {
		case '0':
			if c < '0' || c > '9' {
				return false
			}
		case 't':
			if c|0x20 != 't' {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}

// hasOffset reports whether what follows the seconds is a fraction, if any, and an offset.
func hasOffset(s string) bool {
	if s[0] == '.' {
		digits := strings.TrimLeft(s[1:], "0123456789")
		if len(digits) == len(s)-1 {
			return false
		}
		s = digits
	}
	if s == "Z" || s == "z" {
		return true
	}
	return s != "" && (s[0] == '+' || s[0] == '-') && hasShape(s[1:], "00:00") && s[1:3] < "24" && s[4:] < "60"
}
