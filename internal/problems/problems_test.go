package problems

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/registry"
)

func TestReports(t *testing.T) {
	const collector = "c1"
	assert.Equal(t, []Report{}, Reports(collector, nil))
	one := Open(collector, registry.NewComponent("receiver", "event"), Options{Keep: 2})
	two := Open(collector, registry.NewComponent("receiver", "event"), Options{Keep: 2})
	store := Open(collector, registry.NewComponent("exporter", "event_store"), Options{})
	defer Open("another", registry.NewComponent("receiver", "event"), Options{}).Close()
	for i := range 5 {
		one.Refused("malformed", 1, Problem{Detail: fmt.Sprint("one ", i)})
	}
	two.Refused("malformed", 10, Problem{Detail: "two", Pointer: "/3"})
	two.Suspicious("event_type_form", 3, Problem{EventType: "Login"})
	two.Suspicious("event_type_form", 0, Problem{EventType: "None"})
	store.Refused("too_large", 1, Problem{EventID: "7"})

	got := Reports(collector, nil)
	require.Len(t, got, 3)
	assert.Equal(t, []string{"exporter/event_store too_large 1 false", "receiver/event event_type_form 3 true", "receiver/event malformed 15 false"}, []string{
		line(got[0]), line(got[1]), line(got[2]),
	})
	require.Len(t, got[2].Examples, 2, "the last ones of all instances")
	assert.Equal(t, "two", got[2].Examples[0].Detail)
	assert.Equal(t, "one 4", got[2].Examples[1].Detail)
	assert.False(t, got[2].First.After(got[2].Last))

	two.Close()
	two.Close()
	assert.EqualValues(t, 5, Reports(collector, nil)[1].Count)
	one.Close()
	store.Close()
	assert.Empty(t, Reports(collector, nil))
	assert.Empty(t, logs.All(collector))
}

func line(r Report) string {
	return fmt.Sprint(r.Component, " ", r.Reason, " ", r.Count, " ", r.Suspicious)
}

func TestBounded(t *testing.T) {
	l := Open("c2", registry.NewComponent("receiver", "event"), Options{})
	defer l.Close()
	for range 100 {
		l.Refused("malformed", 1, Problem{Value: strings.Repeat("é", 1000), Detail: strings.Repeat("é", 1000), EventType: "\xff"})
	}
	examples := Reports("c2", nil)[0].Examples
	require.Len(t, examples, DefaultKeep)
	for _, p := range examples {
		assert.LessOrEqual(t, len(p.Value), MaxValue+6)
		assert.LessOrEqual(t, len(p.Detail), maxText+6)
		assert.True(t, utf8.ValidString(p.Value+p.EventType))
	}
}

func TestRedact(t *testing.T) {
	l := Open("c3", registry.NewComponent("receiver", "event"), Options{Redact: true})
	defer l.Close()
	l.Refused("wrong_kind", 1, Problem{Value: "secret", Detail: `must be a time, not "secret"`, Pointer: "/timestamp", Source: "shop"})
	p := Reports("c3", nil)[0].Examples[0]
	assert.Equal(t, Problem{Time: p.Time, Pointer: "/timestamp", Source: "shop"}, p)
}

func TestConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			l := Open("c4", registry.NewComponent("receiver", "event"), Options{})
			for range 100 {
				l.Refused("malformed", 1, Problem{})
				Reports("c4", nil)
			}
			l.Close()
		})
	}
	wg.Wait()
	assert.Empty(t, Reports("c4", nil))
	var none *Log
	none.Refused("x", 1, Problem{})
	none.Close()
}
