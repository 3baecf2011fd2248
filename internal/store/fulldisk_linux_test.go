package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/isbl/telemetry/internal/store"
)

// smallDisk mounts a disk of some MiB.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Skipf("mounting a small disk is not allowed here: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, 0)) })
	return dir
}

// fillUp takes all the room that is left.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			require.ErrorIs(t, err, unix.ENOSPC)
			size /= 2
		}
	}
}

// told keeps what OnHealth was told.
type told struct {
	mu  sync.Mutex
	all []error
}

func (o *told) tell(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, err)
}

func (o *told) since(n int) []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.all[n:])
}

// A full disk is told to every sender at once, costs nothing that was answered, leaves
// reading as it was, and is over when there is room again.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, 40)
	ballast := filepath.Join(disk, "ballast")
	var health told
	opts := store.Options{Directory: filepath.Join(disk, "data"), OnHealth: health.tell}
	s := open(t, opts)

	var answered []string
	round := 0
	fill := func() error {
		for ; ; round++ {
			name := fmt.Sprintf("r%d", round)
			if err := s.Append(t.Context(), incompressible(name, 10)); err != nil {
				round++
				return err
			}
			answered = append(answered, names(name, 0, 10)...)
		}
	}
	for range 3 {
		require.NoError(t, os.WriteFile(ballast, make([]byte, 8<<20), 0o600))
		before := len(health.since(0))
		require.ErrorIs(t, fill(), store.ErrReadOnly)
		fillUp(t, ballast)
		commits := s.Stats(t.Context()).Commits
		for range 100 {
			require.ErrorIs(t, s.Append(t.Context(), logs("none", 0, 1)), store.ErrReadOnly)
		}
		assert.Equal(t, "read_only", s.Stats(t.Context()).Health.Status)
		all, gaps := readAll(t, s, store.Query{Limit: 1000})
		assert.Equal(t, answered, all, "what is stored can be read")
		assert.Empty(t, gaps)
		assert.Equal(t, commits, s.Stats(t.Context()).Commits)
		_, err := s.At(t.Context(), epoch)
		require.NoError(t, err)

		require.NoError(t, os.Remove(ballast))
		waitFor(t, func() bool { return len(health.since(before)) == 2 })
		require.ErrorIs(t, health.since(before)[0], store.ErrReadOnly)
		require.NoError(t, health.since(before)[1])
		name := fmt.Sprintf("after%d", round)
		require.NoError(t, s.Append(t.Context(), logs(name, 0, 5)))
		answered = append(answered, names(name, 0, 5)...)
		all, gaps = readAll(t, s, store.Query{Limit: 1000})
		assert.Equal(t, answered, all)
		assert.Empty(t, gaps)
		st := s.Stats(t.Context())
		assert.Zero(t, st.Unknown, "the outcome is known again")
		assert.Zero(t, st.Lost)
		assert.Equal(t, st.Appended, st.Stored+st.Duplicate+st.Failed)
		assert.EqualValues(t, len(answered), st.Events)
	}
	require.NoError(t, os.WriteFile(ballast, make([]byte, 8<<20), 0o600))
	require.ErrorIs(t, fill(), store.ErrReadOnly)
	fillUp(t, ballast)
	require.NoError(t, s.Close())

	s = open(t, opts) // on the full disk
	all, gaps := readAll(t, s, store.Query{Limit: 1000})
	assert.Equal(t, answered, all)
	assert.Empty(t, gaps)
	assert.EqualValues(t, len(answered), s.Stats(t.Context()).Recovered)
	require.ErrorIs(t, fill(), store.ErrReadOnly)
	require.NoError(t, os.Remove(ballast))
	waitFor(t, func() bool { return s.Append(t.Context(), logs("last", 0, 5)) == nil })
	require.NoError(t, s.Close())
}
