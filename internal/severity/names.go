package severity

import "strconv"

// maxName is longer than each name in numbers.
const maxName = 16

// numbers are those of all names, in lower case.
var numbers = func() map[string]Number {
	all := map[string]Number{}
	for n := Trace; n <= highest; n++ {
		name := Names[(n-1)/steps]
		if step := (n - 1) % steps; step > 0 {
			name += strconv.Itoa(int(step) + 1)
		}
		all[name] = n
	}
	for n, names := range others {
		for _, name := range names {
			all[name] = n
		}
	}
	return all
}()

// others are what logging libraries call severities, where OpenTelemetry has another name. Where
// libraries disagree about a name, the number is the one that most of them give it in their own
// bridge to OpenTelemetry.
var others = map[Number][]string{
	Trace:     {"t", "trc", "finest", "silly"},
	Debug:     {"d", "dbg", "finer"},
	Debug + 1: {"verbose", "vrb", "fine"},
	Debug + 2: {"config", "http"},
	Info:      {"i", "inf", "information", "informational"},
	Info + 1:  {"notice", "success"},
	Warn:      {"w", "wrn", "warning"},
	Error:     {"e", "err", "severe"},
	Fatal:     {"f", "ftl", "crit", "critical", "dpanic"},
	Fatal + 1: {"alert", "panic"},
	Fatal + 2: {"emerg", "emergency"},
}
