package cloudevent

import (
	"strings"
	"unicode/utf8"
)

// decodeHeader decodes the value of an attribute as the HTTP protocol binding says: the backslashes
// of a quoted value, then percent-encoding, once. A percent sign without two hexadecimal digits
// stands for itself, since senders that do not encode at all are common. It fails where the result
// is not UTF-8.
func decodeHeader(value string) (string, bool) {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = unquote(value[1 : n-1])
	}
	if strings.IndexByte(value, '%') < 0 {
		return value, utf8.ValidString(value)
	}
	decoded := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) {
			high, ok := hexDigit(value[i+1])
			low, okToo := hexDigit(value[i+2])
			if ok && okToo {
				decoded = append(decoded, high<<4|low)
				i += 2
				continue
			}
		}
		decoded = append(decoded, value[i])
	}
	return string(decoded), utf8.Valid(decoded)
}

func unquote(value string) string {
	if strings.IndexByte(value, '\\') < 0 {
		return value
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) {
			i++
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
