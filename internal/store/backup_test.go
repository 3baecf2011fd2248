package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// A copy of the directory of a store in use, without its identity, has everything that was
// answered before the copy began, and is a store of its own: docs/operations.md.
func TestBackupOfStoreInUse(t *testing.T) {
	dir, backup := t.TempDir(), filepath.Join(t.TempDir(), "data")
	s := open(t, store.Options{Directory: dir})
	var want []string
	add := func(i int) {
		name := fmt.Sprintf("b%04d", i)
		if assert.NoError(t, s.Append(t.Context(), logs(name, 0, 2))) {
			want = append(want, names(name, 0, 2)...)
		}
	}
	for i := range 200 {
		add(i)
	}
	before := len(want)
	end := s.End()
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 200; ; i++ {
			select {
			case <-stop:
				return
			default:
				add(i)
			}
		}
	})
	require.NoError(t, os.CopyFS(backup, os.DirFS(dir)))
	close(stop)
	writer.Wait()
	for _, file := range []string{"tail", "generation"} {
		require.NoError(t, os.Remove(filepath.Join(backup, file)))
	}

	restored := open(t, store.Options{Directory: backup})
	all, gaps := readAll(t, restored, store.Query{Limit: 1000})
	assert.Empty(t, gaps)
	assert.GreaterOrEqual(t, len(all), before)
	assert.Equal(t, want[:len(all)], all)
	assert.Zero(t, restored.Stats(t.Context()).Lost)
	_, err := restored.Read(t.Context(), store.Query{After: end, Limit: 1})
	var gone *store.CursorError
	require.ErrorAs(t, err, &gone)
	assert.Equal(t, store.ReasonGeneration, gone.Reason)
	require.NoError(t, restored.Append(t.Context(), logs("after", 0, 1)))
}
