package account_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/account"
	"github.com/isbl/telemetry/internal/eventtype"
)

func TestTypesAreBounded(t *testing.T) {
	asked := map[string]int{}
	table := account.NewTable(func(eventType string) bool {
		asked[eventType]++
		return strings.HasPrefix(eventType, "user.")
	})
	for range 2 {
		for i := range eventtype.MaxCounted {
			of, wanted := table.Of(fmt.Sprintf("user.%d", i))
			assert.True(t, wanted)
			of.Keep(2)
		}
	}
	assert.Equal(t, 1, asked["user.7"], "asked once")
	for _, eventType := range []string{"user.more", "", "user." + strings.Repeat("x", 200), eventtype.Others} {
		of, wanted := table.Of(eventType)
		assert.Equal(t, eventtype.Others, of.Name)
		want := strings.HasPrefix(eventType, "user.")
		assert.Equal(t, want, wanted, "each of the others is asked for itself")
		of.Add(account.Filtered)
	}
	all := table.Read()
	require.Len(t, all, eventtype.MaxCounted+1)
	for _, c := range all {
		if c.Name == eventtype.Others {
			assert.EqualValues(t, 4, c.By[account.Filtered])
			continue
		}
		assert.EqualValues(t, 2, c.By[account.Kept])
		assert.InDelta(t, 4, c.Estimated, 0)
	}
}

func TestLookingIsNotCounting(t *testing.T) {
	table := account.NewTable(func(string) bool { return true })
	table.Of("user.login")
	assert.Empty(t, table.Read())
}

func TestManyAtOnce(t *testing.T) {
	table := account.NewTable(func(string) bool { return true })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2000 {
				of, _ := table.Of(fmt.Sprint("type ", i%400))
				of.Add(account.Overflow)
			}
		})
	}
	wg.Wait()
	var sum uint64
	for _, c := range table.Read() {
		sum += c.By[account.Overflow]
	}
	assert.EqualValues(t, 16000, sum)
}

func BenchmarkOf(b *testing.B) {
	table := account.NewTable(func(string) bool { return false })
	for i := range 200 {
		table.Of(fmt.Sprint("type.", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		of, _ := table.Of("type.77")
		of.Add(account.Filtered)
	}
}
