package block

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/isbl/telemetry/internal/severity"
)

// maxCountBytes bounds one count in a list: a separator, the letter of the severity, at most 5
// digits, a colon and an estimated number of at most 23 characters, beside the name's comma.
const maxCountBytes = 32

func writeNames(h map[string][]string, list, others string, n *Names) {
	if len(n.List) > 0 {
		var b []byte
		for i := range n.List {
			nc := &n.List[i]
			switch {
			case i > 0 && n.List[i-1].Name == nc.Name:
				b = append(b, ';')
			case i > 0:
				b = append(b, ',')
				fallthrough
			default:
				b = append(b, encode(nc.Name)...)
				b = append(b, '=')
			}
			b = appendCount(appendSeverity(b, nc.Severity), nc.Count)
		}
		h[list] = []string{string(b)}
	}
	if n.Others.Events > 0 {
		h[others] = []string{string(appendCount(nil, n.Others))}
	}
}

func appendCount(b []byte, c Count) []byte {
	b = strconv.AppendUint(b, c.Events, 10)
	if c.Estimated != float64(c.Events) {
		b = append(b, ':')
		b = strconv.AppendFloat(b, c.Estimated, 'g', -1, 64)
	}
	return b
}

// letters stand for the severities.
var letters = []struct {
	letter   byte
	severity severity.Number
}{
	{'t', severity.Trace},
	{'d', severity.Debug},
	{'i', severity.Info},
	{'w', severity.Warn},
	{'e', severity.Error},
	{'f', severity.Fatal},
}

func appendSeverity(b []byte, level severity.Number) []byte {
	for _, l := range letters {
		if l.severity == level {
			return append(b, l.letter)
		}
	}
	return b
}

// cutSeverity takes the severity from the front of a count.
func cutSeverity(s string) (level severity.Number, count string) {
	for _, l := range letters {
		if s != "" && s[0] == l.letter {
			return l.severity, s[1:]
		}
	}
	return 0, s
}

func encode(name string) string {
	return strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

func encodedLen(name string) int {
	n := len(name)
	for i := range len(name) {
		if c := name[i]; !unreserved(c) {
			n += 2
		}
	}
	return n
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

func (p *parser) count(key, s string) Count {
	events, estimated, sampled := strings.Cut(s, ":")
	c := Count{Events: p.uint(key, events, 64)}
	c.Estimated = float64(c.Events)
	if sampled {
		var err error
		if c.Estimated, err = strconv.ParseFloat(estimated, 64); err != nil {
			p.fail(key, s)
		}
	}
	return c
}

func (p *parser) names(list, others string) (n Names) {
	if s := p.get(list); s != "" {
		n.List = make([]NameCount, 0, 1+strings.Count(s, ",")+strings.Count(s, ";"))
		for entry := range strings.SplitSeq(s, ",") {
			escaped, counts, _ := strings.Cut(entry, "=")
			name, err := url.PathUnescape(escaped)
			if err != nil {
				p.fail(list, entry)
			}
			for count := range strings.SplitSeq(counts, ";") {
				level, count := cutSeverity(count)
				n.List = append(n.List, NameCount{name, level, p.count(list, count)})
			}
		}
	}
	if s := p.get(others); s != "" {
		n.Others = p.count(others, s)
	}
	return n
}
