package store_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/store"
)

// wordy returns records that have some words at many places.
func wordy(r *rand.Rand, n int) plog.Logs {
	words := []string{"Card", "declined", "CARDS", "x-1", "Ünïcode", "7", "a_b", "\u212aelvin", ""}
	some := func() string {
		return words[r.IntN(len(words))] + []string{" ", "", ", "}[r.IntN(3)] + words[r.IntN(len(words))]
	}
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	put := []func(pcommon.Map, string){
		func(m pcommon.Map, k string) { m.PutStr(k, some()) },
		func(m pcommon.Map, k string) { m.PutInt(k, 7) },
		func(m pcommon.Map, k string) { m.PutEmptyBytes(k).FromRaw([]byte("card")) },
		func(m pcommon.Map, k string) { m.PutEmptyMap(k).PutEmptyMap("card").PutStr("in", some()) },
		func(m pcommon.Map, k string) {
			m.PutEmptySlice(k).AppendEmpty().SetEmptySlice().AppendEmpty().SetStr(some())
		},
		func(pcommon.Map, string) {},
	}
	for i := range n {
		record := records.AppendEmpty()
		record.SetEventName("card.declined")
		record.SetTimestamp(pcommon.Timestamp(1 + r.IntN(5)))
		record.SetSeverityText("declined")
		record.Attributes().PutStr(event.AttrUID, fmt.Sprintf("card-%d", i))
		record.Attributes().PutEmptyMap(event.AttrMetadata).PutStr("tenant", "declined")
		for _, k := range []string{"a", "b", "body"} {
			put[r.IntN(len(put))](record.Attributes(), k)
		}
		if r.IntN(2) == 0 {
			record.Body().SetStr(some())
		}
	}
	return ld
}

var word = regexp.MustCompile(`[\p{L}\p{Nd}]+`)

// wordsOf is the reference: the words of all strings of the data and the body.
func wordsOf(value any) (words []string) {
	switch v := value.(type) {
	case string:
		for _, w := range word.FindAllString(v, -1) {
			words = append(words, strings.ToLower(w))
		}
	case []any:
		for _, element := range v {
			words = append(words, wordsOf(element)...)
		}
	case map[string]any:
		for _, element := range v {
			words = append(words, wordsOf(element)...)
		}
	}
	return words
}

// Pages in both directions, counts and scans find the words that a naive search finds.
func TestTextAgreesWithANaiveSearch(t *testing.T) {
	const n = 1000
	ld := wordy(rand.New(rand.NewPCG(1, 2)), n)
	s := open(t, store.Options{})
	require.NoError(t, s.Append(t.Context(), ld))
	for query, words := range map[string][]string{
		"card": {"card"}, "CARD declined": {"card", "declined"}, "card*": {"card*"}, "decl* card": {"decl*", "card"},
		"x-1": {"x", "1"}, "ünïcode": {"ünïcode"}, "ünï*": {"ünï*"}, "kelvin": {"kelvin"}, "7": {"7"}, "a_b, 1": {"a", "b", "1"},
		"missing": {"missing"}, "tenant": {"tenant"}, "declinedcard": {"declinedcard"},
	} {
		want := []string{}
		for ref := range eventlog.All(ld) {
			e := ref.Event()
			has := append(wordsOf(e.Data), wordsOf(e.Metadata[event.MetaBody])...)
			if !slices.ContainsFunc(words, func(w string) bool {
				prefix, star := strings.CutSuffix(w, "*")
				return !slices.ContainsFunc(has, func(h string) bool { return h == w || star && strings.HasPrefix(h, prefix) })
			}) {
				want = append(want, e.EventID)
			}
		}
		p, err := predicate.Compile(&filter.Spec{Text: query}, time.Now())
		require.NoError(t, err)
		assert.Equal(t, want, idsOf(t, s, store.Query{Filter: p, Limit: n}), query)
		backwards := idsOf(t, s, store.Query{Filter: p, Limit: n, Descending: true})
		slices.Reverse(backwards)
		assert.Equal(t, want, backwards, query)
		var counted uint64
		_, err = s.Count(t.Context(), store.CountQuery{Filter: p}, func(c store.Count) bool { counted += c.Events; return true })
		require.NoError(t, err)
		assert.Equal(t, uint64(len(want)), counted, query)
	}
}

// idsOf reads all pages.
func idsOf(t *testing.T, s *store.Store, q store.Query) []string {
	ids := []string{}
	for {
		page, err := s.Read(t.Context(), q)
		require.NoError(t, err)
		for i := range page.Entries {
			ids = append(ids, page.Entries[i].Ref().EventID())
		}
		if q.After = page.Next; !page.More {
			return ids
		}
	}
}
