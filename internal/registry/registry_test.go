package registry

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestAdd(t *testing.T) {
	numbers, texts := NewSlot[int]("numbers"), NewSlot[string]("texts")
	removeOne := numbers.Add("a", 1)
	removeEqual := numbers.Add("a", 1)
	removeTwo := numbers.Add("a", 2)
	defer numbers.Add("b", 3)()
	defer texts.Add("a", "text")()
	assert.Equal(t, []int{1, 1, 2}, numbers.All("a"))
	assert.Equal(t, []int{3}, numbers.All("b"), "keys are apart")
	assert.Equal(t, []string{"text"}, texts.All("a"), "slots are apart")

	removeEqual()
	removeEqual()
	assert.Equal(t, []int{1, 2}, numbers.All("a"), "only its own value goes, and only once")
	removeOne()
	removeTwo()
	assert.Empty(t, numbers.All("a"))
	assert.NotContains(t, entries, place{"numbers", "a"}, "nothing stays")
}

func TestGetOrAdd(t *testing.T) {
	slot := NewSlot[*int]("once")
	calls := 0
	create := func() *int {
		calls++
		return new(int)
	}
	first := slot.GetOrAdd("", create)
	assert.Same(t, first, slot.GetOrAdd("", create))
	assert.NotSame(t, first, slot.GetOrAdd("another", create))
	assert.Equal(t, 2, calls)
}

func TestLeaveAndTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slot := NewSlot[string]("left")
		_, ok := slot.Take("k")
		assert.False(t, ok)

		slot.Leave("k", "old", 10*time.Second)
		time.Sleep(9 * time.Second)
		slot.Leave("k", "new", 10*time.Second)
		time.Sleep(9 * time.Second) // longer than the old one was kept
		got, ok := slot.Take("k")
		assert.True(t, ok)
		assert.Equal(t, "new", got)
		_, ok = slot.Take("k")
		assert.False(t, ok, "it is taken once")

		slot.Leave("k", "late", 10*time.Second)
		time.Sleep(11 * time.Second)
		_, ok = slot.Take("k")
		assert.False(t, ok, "the time is over")
		assert.NotContains(t, entries, place{"left", "k"})
	})
}

func TestInstanceID(t *testing.T) {
	res := pcommon.NewResource()
	assert.Empty(t, InstanceID(res))
	res.Attributes().PutStr("service.instance.id", "d1f7")
	assert.Equal(t, "d1f7", InstanceID(res))
}

func TestConcurrentUse(t *testing.T) {
	slot := NewSlot[int]("busy")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				remove := slot.Add("k", i)
				assert.Contains(t, slot.All("k"), i)
				slot.Leave(fmt.Sprint(i), i, time.Hour)
				got, ok := slot.Take(fmt.Sprint(i))
				assert.True(t, ok)
				assert.Equal(t, i, got)
				remove()
			}
		})
	}
	wg.Wait()
	assert.Empty(t, slot.All("k"))
}
