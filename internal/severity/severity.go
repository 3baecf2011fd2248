// Package severity has the names and the order of OpenTelemetry's severity numbers.
package severity

import "strings"

// Number is a severity as OpenTelemetry counts it: 1 to 24, four for each name. 0 is none.
type Number int32

// The numbers without a step.
const (
	Trace Number = 1
	Debug Number = 5
	Info  Number = 9
	Warn  Number = 13
	Error Number = 17
	Fatal Number = 21

	highest Number = 24
	steps   Number = 4
)

// Names are those of the numbers without a step, from the lowest.
var Names = []string{"trace", "debug", "info", "warn", "error", "fatal"}

// Syntax completes the sentence "write …" for a name that Parse does not know.
const Syntax = "trace, debug, info, warn, error or fatal, or one of their steps such as error2"

// Parse reads a name in any case: one of OpenTelemetry's, also with a step from 2 to 4 (error,
// ERROR, error2), or what logging libraries write, as docs/severities.md lists it. ok is false for
// other texts.
func Parse(name string) (n Number, ok bool) {
	var lower [maxName]byte
	if len(name) > len(lower) {
		return 0, false
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	n, ok = numbers[string(lower[:len(name)])]
	return n, ok
}

// Reaches says whether an event is at least as severe as a minimum. Events without a severity reach
// the minimum 0 only.
func (n Number) Reaches(minimum Number) bool { return n >= minimum }

// Base is the number of the name without its step; 0 for a number that is no severity.
func (n Number) Base() Number {
	if n < Trace || n > highest {
		return 0
	}
	return n - (n-1)%steps
}

// CanReach says whether a number of which only the base is known can reach a minimum. That of base
// 0 can be beyond the highest.
func (n Number) CanReach(minimum Number) bool { return n == 0 || (n + steps - 1).Reaches(minimum) }

// Name is the name without its step, in upper case; "" of a number that is no severity.
func (n Number) Name() string {
	if n = n.Base(); n == 0 {
		return ""
	}
	return strings.ToUpper(Names[n/steps])
}
