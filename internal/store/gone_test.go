package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/log/embedded"
)

// A directory that is deleted or replaced under the running store: nothing is answered with success
// from then on, the store says why, and it leaves alone what is there now.
func TestTheDirectoryIsGone(t *testing.T) {
	if os.PathSeparator == '\\' {
		t.Skip("Windows does not remove open files")
	}
	for name, remove := range map[string]func(t *testing.T, dir string){
		"deleted": func(t *testing.T, dir string) {
			require.Eventually(t, func() bool { return os.RemoveAll(dir) == nil }, 30*time.Second, time.Millisecond)
		},
		"replaced": func(t *testing.T, dir string) {
			require.NoError(t, os.CopyFS(dir+".copy", os.DirFS(dir)))
			require.NoError(t, os.Rename(dir, dir+".old"))
			require.NoError(t, os.Rename(dir+".copy", dir))
		},
		"emptied": func(t *testing.T, dir string) {
			require.Eventually(t, func() bool { return os.RemoveAll(filepath.Join(dir, "jetstream")) == nil }, 30*time.Second, time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			told := make(chan error, 100)
			s := open(t, store.Options{Directory: dir, OnHealth: func(err error) { told <- err }})
			require.NoError(t, s.Append(t.Context(), logs("a.b", 0, 10)))
			remove(t, dir)
			before, _ := os.ReadFile(filepath.Join(dir, "tail"))
			for i := range 3 {
				err := s.Append(t.Context(), logs("a.b", 10+i, 1))
				require.ErrorIs(t, err, store.ErrReadOnly)
				require.ErrorIs(t, err, embedded.ErrGone)
			}
			assert.ErrorIs(t, <-told, embedded.ErrGone)
			require.NoError(t, s.Close())
			after, _ := os.ReadFile(filepath.Join(dir, "tail"))
			assert.Equal(t, string(before), string(after))
		})
	}
}

// Two stores of one process cannot have one directory, and the error says so.
func TestADirectoryOfTwoStores(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open(t, store.Options{Directory: dir})
	link := dir + ".link"
	require.NoError(t, os.Symlink(dir, link))
	for _, name := range []string{dir, link} {
		_, err := store.Open(t.Context(), store.Options{Directory: name})
		require.ErrorIs(t, err, embedded.ErrInUseHere)
		assert.ErrorContains(t, err, "give each exporter a directory of its own")
	}
}
