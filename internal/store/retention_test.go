package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

func TestMaxEvents(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.MaxEvents = 100
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 10)))
		early, err := s.Read(t.Context(), store.Query{Limit: 5})
		require.NoError(t, err)
		for i := 1; i < 30; i++ {
			require.NoError(t, s.Append(t.Context(), logs("a", 10*i, 10)))
		}
		st := s.Stats(t.Context())
		assert.EqualValues(t, 100, st.Events)
		assert.EqualValues(t, 200, st.Evicted)
		all, gaps := readAll(t, s, store.Query{After: early.Next, Limit: 1000})
		assert.Equal(t, names("a", 200, 100), all)
		require.Len(t, gaps, 1)
		assert.EqualValues(t, 195, *gaps[0].Events)

		require.NoError(t, s.Append(t.Context(), logs("b", 0, 1000)))
		assert.EqualValues(t, 1000, s.Stats(t.Context()).Events, "a block goes as a whole, and the newest stays")
	})
}

// Where what was evicted before a restart is not known, a reader learns that it missed events; a
// number that it gets is right.
func TestEvictedBeforeARestart(t *testing.T) {
	for name, change := range map[string]func(b []byte) []byte{
		"as written":    func(b []byte) []byte { return b },
		"not there":     nil,
		"empty":         func([]byte) []byte { return nil },
		"cut off":       func(b []byte) []byte { return b[:len(b)-6] },
		"a flipped bit": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
	} {
		t.Run(name, func(t *testing.T) {
			opts := store.Options{Directory: t.TempDir(), MaxEvents: 100}
			s := open(t, opts)
			start := s.Start()
			for i := range 30 {
				require.NoError(t, s.Append(t.Context(), logs("a", 10*i, 10)))
			}
			require.EqualValues(t, 200, s.Stats(t.Context()).Evicted)
			require.NoError(t, s.Close())
			file := filepath.Join(opts.Directory, "evicted")
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			if change == nil {
				require.NoError(t, os.Remove(file))
			} else {
				require.NoError(t, os.WriteFile(file, change(b), 0o600))
			}

			opts.MaxEvents = 50 // more is evicted at once
			s = open(t, opts)
			require.Eventually(t, func() bool { return s.Stats(t.Context()).Events == 50 }, 30*time.Second, time.Millisecond)
			all, gaps := readAll(t, s, store.Query{After: start, Limit: 1000})
			assert.Equal(t, names("a", 250, 50), all)
			require.Len(t, gaps, 1)
			assert.Equal(t, store.ReasonRetention, gaps[0].Reason)
			if name != "as written" {
				assert.Nil(t, gaps[0].Events)
				return
			}
			require.NotNil(t, gaps[0].Events)
			assert.EqualValues(t, 250, *gaps[0].Events)
		})
	}
}

func TestMaxAge(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.MaxAge = time.Second
		s := open(t, opts)
		start := s.Start()
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 10)))
		require.Eventually(t, func() bool { return s.Stats(t.Context()).Evicted == 10 }, 30*time.Second, 50*time.Millisecond)
		require.NoError(t, s.Append(t.Context(), logs("b", 0, 3)))
		all, gaps := readAll(t, s, store.Query{After: start, Limit: 1000})
		assert.Equal(t, names("b", 0, 3), all)
		require.Len(t, gaps, 1)
		assert.EqualValues(t, 10, *gaps[0].Events)
	})
}

func TestRejectNew(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.RejectNew = true
		opts.MaxBytes = store.MinMaxBytes
		s := open(t, opts)
		appended := 0
		var err error
		for ; err == nil; appended += 10 {
			require.Less(t, appended, 1000, "never full")
			err = s.Append(t.Context(), incompressible(fmt.Sprintf("t%d", appended), 10))
		}
		require.ErrorIs(t, err, store.ErrFull)
		st := s.Stats(t.Context())
		assert.Zero(t, st.Evicted)
		assert.EqualValues(t, 10, st.Failed)
		assert.EqualValues(t, appended-10, st.Stored)
		assert.EqualValues(t, appended, st.Appended)
		all, gaps := readAll(t, s, store.Query{Limit: 1000})
		assert.Len(t, all, appended-10)
		assert.Empty(t, gaps)
	})
}

func TestRejectNewByEvents(t *testing.T) {
	modes(t, func(t *testing.T, opts store.Options) {
		opts.RejectNew, opts.MaxEvents = true, 25
		s := open(t, opts)
		require.NoError(t, s.Append(t.Context(), logs("a", 0, 10)))
		require.NoError(t, s.Append(t.Context(), logs("a", 10, 10)))
		require.ErrorIs(t, s.Append(t.Context(), logs("a", 20, 10)), store.ErrFull)
		require.NoError(t, s.Append(t.Context(), logs("a", 20, 5)), "what fits is taken")
		st := s.Stats(t.Context())
		assert.EqualValues(t, 25, st.Events)
		assert.EqualValues(t, 10, st.Failed)
		assert.EqualValues(t, 35, st.Appended)
	})
}
