package cli

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLogsReader: what is accepted is handed on to the last byte, in parts that are whole.
func FuzzLogsReader(f *testing.F) {
	f.Add([]byte("\x0a\x02ab\x0a\x00\x0a\x01x"), 3)
	f.Add([]byte("\x0a\x05ab"), 1)
	f.Add([]byte("\x0a\x82\x00ab"), 100)
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		r := newLogsReader(bytes.NewReader(in))
		var all, again []byte
		for {
			request, err := r.next(limit)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			require.NotEmpty(t, request)
			all = append(all, request...)
		}
		whole, err := newLogsReader(bytes.NewReader(in)).next(len(in) + 100)
		if err == nil {
			again = whole
		}
		require.Equal(t, again, all)
	})
}
