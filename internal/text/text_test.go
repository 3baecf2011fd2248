package text

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestShorten(t *testing.T) {
	assert.Equal(t, "four", Shorten("four", 4))
	assert.Equal(t, "fo…", Shorten("four", 2))
	assert.Equal(t, "a…", Shorten("aäb", 2), "half a character is left out")
	assert.Equal(t, "…", Shorten("a", 0))
	assert.Equal(t, "a\ufffd", Shorten("a\xff", 2), "always UTF-8")
	assert.Equal(t, "\ufffda…", Shorten("\xffabc", 2))
}

func TestQuote(t *testing.T) {
	assert.Equal(t, `"a\n"`, Quote("a\n"))
	assert.Equal(t, `"`+strings.Repeat("x", 80)+`"…`, Quote(strings.Repeat("x", 81)))
}
