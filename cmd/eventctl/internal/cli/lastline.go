package cli

import (
	"bytes"
	"strings"
)

// maxLastLine is how much of a line is kept, in bytes.
const maxLastLine = 300

// lastLine keeps the last line that is not blank of what is written to it. Its errors are nil.
type lastLine struct {
	complete, open []byte
}

func (l *lastLine) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		l.open = append(l.open, text[:min(len(text), max(0, maxLastLine-len(l.open)))]...)
		if ended {
			if len(bytes.TrimSpace(l.open)) > 0 {
				l.complete = append(l.complete[:0], l.open...)
			}
			l.open = l.open[:0]
		}
	}
	return len(p), nil
}

func (l *lastLine) String() string {
	if len(bytes.TrimSpace(l.open)) > 0 {
		return strings.TrimSpace(string(l.open))
	}
	return strings.TrimSpace(string(l.complete))
}

// reasonOf is why a command failed: how it ended, and what it said at last.
func reasonOf(err error, said *lastLine) string {
	reason := err.Error()
	if text := said.String(); text != "" {
		reason += ": " + strings.ToValidUTF8(text, "\uFFFD")
	}
	return reason
}
