package store_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/filter/predicate"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/store"
)

// oddities makes random events, and filters that ask for what they have.
type oddities struct {
	*rand.Rand
	made int
}

var oddTexts = []string{
	"", "a", "A", "null", "true", "NaN", "1", "1.0", "-0", "1e3", "9007199254740993", "card DECLINED, twice", "ümlaut ☃ Straße ſ K", "İstanbul",
	"%2A", `"`, "a.b", "\x00", "u-123456", "naïve café", "日本語 テキスト", "aGVsbG8=", "x\xffy", "İ\u0307 ǅ",
}

var oddNumbers = []float64{0, math.Copysign(0, -1), 1, -1, 1.5, 1e3, math.NaN(), math.Inf(1), math.Inf(-1), 1 << 53, 1e300}

var oddInts = []int64{0, 1, -1, 1000, 1<<53 + 1, math.MaxInt64, math.MinInt64}

var oddKeys = []string{"a", "b", "a.b", "a.b.c", "", ".", "user.id", "user", "id", "ключ", "body", "text", "k k", "c"}

func pick[T any](o *oddities, from []T) T { return from[o.IntN(len(from))] }

func (o *oddities) value(v pcommon.Value, depth int) {
	switch n := o.IntN(10); {
	case n < 4:
		v.SetStr(pick(o, oddTexts))
	case n == 4:
		v.SetInt(pick(o, oddInts))
	case n == 5:
		v.SetDouble(pick(o, oddNumbers))
	case n == 6:
		v.SetBool(o.IntN(2) == 0)
	case n == 7 && depth > 0:
		for range o.IntN(3) {
			o.value(v.SetEmptyMap().PutEmpty(pick(o, oddKeys)), depth-1)
		}
	case n == 8 && depth > 0:
		list := v.SetEmptySlice()
		for range o.IntN(4) {
			o.value(list.AppendEmpty(), depth-1)
		}
	case n == 9:
		v.SetEmptyBytes().FromRaw([]byte(pick(o, oddTexts)))
	}
}

// events are canonical records, few of which are alike.
func (o *oddities) events(n int) plog.Logs {
	ld := logs(pick(o, []string{"user.login", "cart.add"}), o.made, n)
	list := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for _, r := range list.All() {
		id, _ := r.Attributes().Get(event.AttrUID)
		id.SetStr(fmt.Sprintf("%s-%d", strings.Trim(pick(o, oddTexts), "\x00"), o.made))
		o.made++
		r.SetTraceID(pcommon.TraceID{byte(o.IntN(40))}) // zero is none
		r.SetSeverityNumber(plog.SeverityNumber(o.IntN(25)))
		for range o.IntN(4) {
			o.value(r.Attributes().PutEmpty(pick(o, oddKeys)), 3)
		}
		if o.IntN(2) == 0 {
			o.value(r.Body(), 2)
		}
	}
	ld, refused := eventlog.Canonical(context.Background(), ld, eventlog.Defaults{})
	if refused != nil {
		panic(refused)
	}
	return ld
}

// filter asks for something of an event, or for something that is nowhere.
func (o *oddities) filter(of eventlog.Ref) (s filter.Spec) {
	for {
		switch o.IntN(6) {
		case 0:
			s.EventIDs = append(s.EventIDs, of.EventID())
		case 1:
			s.TraceIDs = append(s.TraceIDs, pcommon.TraceID{byte(1 + o.IntN(42))}.String())
		case 2, 3:
			path := pick(o, oddKeys)
			if o.IntN(3) == 0 {
				path += "." + pick(o, oddKeys)
			}
			if _, err := filter.ParsePath(filter.DataPrefix + path); err == nil {
				s.AddData(path, o.text())
				s.AddData(path, o.text())
			}
		case 4:
			s.Text = pick(o, []string{"card", "Card declin*", "STRASSE", "straße", "İSTANBUL", "テキスト", "naïve", "u 123456", "nowhere", "K", "x y"})
		case 5:
			s.MinSeverity = "warn"
		}
		if o.IntN(3) > 0 {
			return s
		}
	}
}

func (o *oddities) text() string {
	switch o.IntN(4) {
	case 0:
		return strconv.FormatFloat(pick(o, oddNumbers), 'g', -1, 64)
	case 1:
		return strconv.FormatInt(pick(o, oddInts), 10)
	}
	return pick(o, oddTexts)
}

// naive says whether a record matches, from its decoded form alone.
func naive(t *testing.T, p *predicate.Predicate, ref eventlog.Ref) bool {
	var texts []string
	var visit func(v pcommon.Value)
	visit = func(v pcommon.Value) {
		switch v.Type() {
		case pcommon.ValueTypeStr:
			texts = append(texts, v.Str())
		case pcommon.ValueTypeMap:
			for _, inner := range v.Map().All() {
				visit(inner)
			}
		case pcommon.ValueTypeSlice:
			for _, inner := range v.Slice().All() {
				visit(inner)
			}
		}
	}
	visit(ref.Record.Body())
	for name, v := range ref.Record.Attributes().All() {
		if name != event.AttrUID {
			visit(v)
		}
	}
	matches, err := p.MatchesContent(t.Context(), ref)
	require.NoError(t, err)
	return matches && p.MatchesText(texts) && p.MatchesSource(ref.Source()) &&
		p.MatchesHead(ref.Record.Timestamp(), ref.EventType(), severity.Number(ref.Record.SeverityNumber()))
}

// TestFiltersFindTheSame compares all filters of the content with a naive reference, while the side
// index is made, known, damaged, deleted, trimmed and read again.
func TestFiltersFindTheSame(t *testing.T) {
	o := &oddities{Rand: rand.New(rand.NewPCG(20, 3))}
	opts := store.Options{Directory: t.TempDir(), MaxEvents: 1500}
	opts.SmallSideIndex(20, 8)
	s := open(t, opts)
	var all []eventlog.Ref
	fill := func() {
		for range 40 {
			ld := o.events(1 + o.IntN(30))
			all = slices.AppendSeq(all, eventlog.All(ld))
			require.NoError(t, s.Append(t.Context(), ld))
		}
		if over := len(all) - 1500; over > 0 {
			require.Eventually(t, func() bool { return s.Stats(t.Context()).Events <= 1500 }, 5*time.Minute, time.Millisecond)
		}
		all = all[len(all)-int(s.Stats(t.Context()).Events):]
	}
	excluded := uint64(0)
	check := func(when string) {
		for range 25 {
			spec := o.filter(pick(o, all))
			p := chosen(t, spec)
			var want []string
			for _, ref := range all {
				if naive(t, p, ref) {
					want = append(want, ref.EventID())
				}
			}
			work := &store.Work{}
			q := store.Query{Filter: p, Limit: 1 + o.IntN(50), Work: work}
			got, gaps := readAll(t, s, q)
			require.Empty(t, gaps)
			require.True(t, slices.Equal(want, got), "%s: %+v: %v, not %v", when, spec, got, want)
			q.Descending = true
			got, _ = readAll(t, s, q)
			require.True(t, slices.Equal(reversed(want), got), "%s, descending: %+v: %v, not %v", when, spec, got, want)
			counted := uint64(0)
			_, err := s.Count(t.Context(), store.CountQuery{Filter: p}, func(c store.Count) bool {
				counted += c.Events
				return true
			})
			require.NoError(t, err)
			require.EqualValues(t, len(want), counted, "%s, counted: %+v", when, spec)
			excluded += work.Explain().Blocks.LeftOut.BySideIndex
		}
	}
	known := func() {
		require.Eventually(t, func() bool { // except for the last blocks, which are no unit yet
			return s.SideIndex().Blocks+21 >= s.Stats(t.Context()).Blocks
		}, 5*time.Minute, time.Millisecond)
	}
	files := func() []string {
		list, err := filepath.Glob(filepath.Join(opts.Directory, "sideindex", "*.content"))
		require.NoError(t, err)
		require.NotEmpty(t, list)
		return list
	}
	reopen := func() {
		require.NoError(t, s.Close())
		s = open(t, opts)
	}
	fill()
	check("new")
	known()
	check("known")
	require.NotZero(t, excluded)
	before := files()
	reopen()
	require.Subset(t, files(), before, "they are kept")
	check("opened again")
	for range 5 {
		fill()
		check("evicting")
	}
	known()
	for _, path := range files() {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		for range 50 {
			raw[o.IntN(len(raw))] ^= 1 << o.IntN(8)
		}
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}
	check("damaged")
	known()
	check("made again")
	for _, path := range files() {
		require.NoError(t, os.Truncate(path, int64(o.IntN(3000))))
	}
	reopen()
	check("cut, and opened again")
	known()
	require.NoError(t, os.RemoveAll(filepath.Join(opts.Directory, "sideindex")))
	check("deleted")
	fill()
	known()
	check("made again after it was deleted")
	opts.WithoutContent = true
	reopen()
	known()
	check("without content")
	opts.WithoutContent = false
	reopen()
	known()
	check("with content again")
}
