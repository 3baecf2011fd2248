package eventtype_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/isbl/telemetry/internal/eventtype"
)

func TestPattern(t *testing.T) {
	tests := []struct {
		name, pattern string
		covers, not   []string
	}{
		{name: "exact", pattern: "user.login", covers: []string{"user.login"}, not: []string{"", "user.logins", "auser.login", "user", "User.login"}},
		{name: "prefix, dots included", pattern: "user.*", covers: []string{"user.login", "user.cart.add", "user."}, not: []string{"user", "users.login"}},
		{name: "suffix", pattern: "*.failed", covers: []string{"job.failed", ".failed", "a.b.failed"}, not: []string{"failed", "job.failed.twice"}},
		{name: "inside", pattern: "a*b*c", covers: []string{"abc", "aXbYc", "abbc", "abcbc"}, not: []string{"ac", "acb", "abcd", "ab"}},
		{name: "ends may not overlap", pattern: "aba*aba", covers: []string{"abaaba", "aba.aba"}, not: []string{"aba", "ababa"}},
		{name: "everything", pattern: "*", covers: []string{"", "a", "a.b"}},
		{name: "stars in a row are one", pattern: "a**b", covers: []string{"ab", "a.b"}, not: []string{"a", "ba"}},
		{name: "no other wildcard", pattern: "a?[b].", covers: []string{"a?[b]."}, not: []string{"axb.", "a?b."}},
		{name: "a star itself", pattern: `a\*b`, covers: []string{"a*b"}, not: []string{"axb", `a\*b`}},
		{name: "others themselves", pattern: `\^a\,b\\*\$`, covers: []string{`^a,b\$`, `^a,b\x$`}, not: []string{"^a,b$"}},
		{name: "a path", pattern: `/orders/eu`, covers: []string{"/orders/eu"}, not: []string{"orders/eu"}},
		{name: "a path with slashes around", pattern: `/orders/eu/`, covers: []string{"/orders/eu/"}},
		{name: "an address", pattern: `https://[::1]:80/a?b=c`, covers: []string{"https://[::1]:80/a?b=c"}},
		{name: "inner space", pattern: "a b", covers: []string{"a b"}, not: []string{"ab"}},
		{name: "unicode", pattern: "ü*", covers: []string{"üb", "ü"}, not: []string{"u"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := eventtype.ParsePattern(tt.pattern)
			require.NoError(t, err)
			assert.Equal(t, tt.pattern, p.String())
			for _, name := range tt.covers {
				assert.True(t, p.Matches(name), name)
			}
			for _, name := range tt.not {
				assert.False(t, p.Matches(name), name)
			}
		})
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for _, tt := range []struct{ pattern, why string }{
		{"", "must not be empty"},
		{" a", "must not start or end with white space"},
		{"a\n", "must not start or end with white space"},
		{"a\x00b", "must not contain control characters"},
		{"user.*,alert.*", "write each of several as a pattern of its own"},
		{"^user", "no regular expression"},
		{"user.login$", "no regular expression"},
		{"user.[a-z]+", "no regular expression"},
		{"user.[ab]*", "no regular expression"},
		{"user.(login|logout)", "no regular expression"},
		{"user.+", "no regular expression"},
		{"/user/", "no regular expression"},
		{`user\.login`, `write \\ for itself`},
		{`user\`, `write \\ for itself`},
		{strings.Repeat("x", eventtype.MaxPatternBytes+1), "at most 1024 bytes, this one 1025"},
	} {
		_, err := eventtype.ParsePattern(tt.pattern)
		assert.ErrorContains(t, err, tt.why, "%.20q", tt.pattern)
	}
	_, err := eventtype.ParsePattern(strings.Repeat("x", eventtype.MaxPatternBytes))
	assert.NoError(t, err)
}

func TestPatternIsTheRegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab.*]{1,8}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab.]{0,10}`).Draw(t, "name")
		p, err := eventtype.ParsePattern(pattern)
		require.NoError(t, err)
		same := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		require.Equal(t, same.MatchString(name), p.Matches(name))
	})
}

// A quoted name covers itself alone, also within a list.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[ab.*,\\^$/(|\[\]+-]{1,8}`).Draw(t, "name")
		other := rapid.StringMatching(`[ab.*,\\^$/]{1,8}`).Draw(t, "other")
		list := eventtype.SplitList(eventtype.Quote(name) + "," + eventtype.Quote(other))
		require.Len(t, list, 2)
		p, err := eventtype.ParsePattern(list[0])
		require.NoError(t, err)
		require.True(t, p.Matches(name))
		require.Equal(t, name == other, p.Matches(other))

		texts := eventtype.SplitList(eventtype.QuoteText(name) + "," + eventtype.QuoteText(other))
		require.Len(t, texts, 2)
		require.Equal(t, []string{name, other}, []string{eventtype.UnquoteText(texts[0]), eventtype.UnquoteText(texts[1])})
	})
}

func TestSelection(t *testing.T) {
	names := []string{"user.login", "user.logout", "cart.add"}
	tests := []struct {
		name                   string
		include, exclude, want []string
		all                    bool
	}{
		{name: "empty keeps all", want: names, all: true},
		{name: "star keeps all", include: []string{"user.login", "*"}, want: names, all: true},
		{name: "stars keep all", include: []string{"**"}, want: names, all: true},
		{name: "include", include: []string{"user.*"}, want: []string{"user.login", "user.logout"}},
		{name: "any of several", include: []string{"user.login", "cart.*"}, want: []string{"user.login", "cart.add"}},
		{name: "exclude", exclude: []string{"*.login"}, want: []string{"user.logout", "cart.add"}},
		{name: "exclude wins", include: []string{"user.*"}, exclude: []string{"user.login"}, want: []string{"user.logout"}},
		{name: "exclude of all", include: []string{"*"}, exclude: []string{"*"}},
		{name: "nothing fits", include: []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := eventtype.NewSelection(tt.include, tt.exclude)
			require.NoError(t, err)
			var got []string
			for _, name := range names {
				if s.Matches(name) {
					got = append(got, name)
				}
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.all, s.All())
		})
	}
	var none *eventtype.Selection
	assert.True(t, none.Matches("a"))
	assert.True(t, none.All())
}

func TestNewSelectionNamesThePattern(t *testing.T) {
	_, err := eventtype.NewSelection([]string{"a", ""}, nil)
	require.ErrorContains(t, err, `pattern 1 "": a pattern must not be empty`)
	_, err = eventtype.NewSelection([]string{"a"}, []string{" b"})
	require.ErrorContains(t, err, `pattern 0 " b": a pattern must not start`)
}

func BenchmarkSelectionMatches(b *testing.B) {
	s, err := eventtype.NewSelection([]string{"user.*", "cart.*", "*.failed"}, []string{"user.debug.*"})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if !s.Matches("payment.card.failed") {
			b.Fatal("not kept")
		}
	}
}

func TestCountedAs(t *testing.T) {
	counts := map[string]int{}
	for i := range eventtype.MaxCounted {
		counts[eventtype.CountedAs(counts, fmt.Sprint(i))]++
	}
	assert.Len(t, counts, eventtype.MaxCounted)
	assert.Equal(t, "7", eventtype.CountedAs(counts, "7"), "known")
	assert.Equal(t, eventtype.Others, eventtype.CountedAs(counts, "new"))
	counts[eventtype.Others]++
	assert.Equal(t, eventtype.Others, eventtype.CountedAs(counts, "new"))
	delete(counts, "7")
	assert.Equal(t, "new", eventtype.CountedAs(counts, "new"), "other takes nobody's place")
}
