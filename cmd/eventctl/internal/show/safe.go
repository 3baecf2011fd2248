package show

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Writer is the edge between the program and a terminal: what goes through it cannot move the
// cursor, change the title or have any other effect on the terminal than to be shown. Control
// characters (C0 without line feed and tab, DEL, C1, and those that change the direction of text)
// become \u with four hexadecimal digits, which means the same inside of JSON; bytes that are not
// UTF-8 become U+FFFD. Write is safe for concurrent use.
type Writer struct {
	// Colours lets the sequences through that set colours.
	Colours bool

	mu   sync.Mutex
	to   io.Writer
	rest []byte // the beginning of a character
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{to: w} }

var colourSequence = regexp.MustCompile(`^\x1b\[[0-9;]*m`)

func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := slices.Concat(w.rest, p)
	out := make([]byte, 0, len(in))
	for len(in) > 0 && utf8.FullRune(in) {
		r, size := utf8.DecodeRune(in)
		if r == '\x1b' && w.Colours {
			if sequence := colourSequence.Find(in); sequence != nil {
				out, in = append(out, sequence...), in[len(sequence):]
				continue
			}
		}
		if acts(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = utf8.AppendRune(out, r) // U+FFFD for what is no character
		}
		in = in[size:]
	}
	w.rest = in
	if _, err := w.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// acts says whether a terminal does something at a character instead of showing it.
func acts(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}
