package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLastLine(t *testing.T) {
	for _, test := range []struct {
		written []string
		want    string
	}{
		{nil, ""},
		{[]string{"one\ntwo\n"}, "two"},
		{[]string{"on", "e\ntw", "o"}, "two"},
		{[]string{"one\n\n  \n"}, "one"},
		{[]string{strings.Repeat("x", 1000) + "\n"}, strings.Repeat("x", maxLastLine)},
	} {
		var l lastLine
		for _, w := range test.written {
			n, err := fmt.Fprint(&l, w)
			assert.NoError(t, err)
			assert.Equal(t, len(w), n)
		}
		assert.Equal(t, test.want, l.String(), "%q", test.written)
	}
	var l lastLine
	assert.Equal(t, "exit status 1", reasonOf(errors.New("exit status 1"), &l))
	fmt.Fprintln(&l, "no such table \xff")
	assert.Equal(t, "exit status 1: no such table \uFFFD", reasonOf(errors.New("exit status 1"), &l))
}
