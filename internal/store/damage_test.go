package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry/internal/store"
)

const (
	damagedBlocks = 170
	damagedBytes  = 124 << 10 // little, so that JetStream makes files of 32 kB
	streamDir     = "jetstream/$G/streams/ISBL_EVENTS"
)

// endings are the ways in which the store to damage ended.
var endings = map[string]func(t *testing.T, dir string) store.Cursor{
	"closed": func(t *testing.T, dir string) store.Cursor {
		s := open(t, store.Options{Directory: dir, MaxBytes: damagedBytes})
		place := fillForDamage(t, s, 0, damagedBlocks)
		require.NoError(t, s.Close())
		return place
	},
	"killed": killed,
	"closed, opened, killed": func(t *testing.T, dir string) store.Cursor {
		s := open(t, store.Options{Directory: dir, MaxBytes: damagedBytes})
		fillForDamage(t, s, 0, damagedBlocks/2)
		require.NoError(t, s.Close())
		return killed(t, dir)
	},
}

// killed leaves the files that a process leaves that fills up the store and is killed.
func killed(t *testing.T, dir string) store.Cursor {
	t.Helper()
	s := open(t, store.Options{Directory: dir, MaxBytes: damagedBytes})
	place := fillForDamage(t, s, int(s.Stats(t.Context()).Blocks), damagedBlocks)
	waitFor(t, func() bool { return remembers(t, dir, s.Stats(t.Context()).Events) })
	left := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(left, "data"), os.DirFS(dir)))
	require.NoError(t, s.Close())
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.Rename(filepath.Join(left, "data"), dir))
	return place
}

// remembers says whether the tail of the store counts so many events.
func remembers(t *testing.T, dir string, events uint64) bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "tail"))
	var tail struct{ Events uint64 }
	return err == nil && json.Unmarshal(b, &tail) == nil && tail.Events == events
}

// fillForDamage stores blocks of two or six events, and returns a place after
// one of the first.
func fillForDamage(t *testing.T, s *store.Store, from, to int) store.Cursor {
	t.Helper()
	for i := from; i < to; i++ {
		require.NoError(t, s.Append(t.Context(), logs(fmt.Sprintf("b%03d", i), 0, 2+i%5/4*4)))
	}
	p, err := s.Read(t.Context(), store.Query{Limit: 3})
	require.NoError(t, err)
	return p.Next
}

// damages are what happens to a file.
var damages = map[string]func(t *testing.T, path string){
	"missing":   func(t *testing.T, path string) { require.NoError(t, os.RemoveAll(path)) },
	"empty":     func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
	"truncated": change(func(b []byte) []byte { return b[:len(b)/2] }),
	"last byte": change(func(b []byte) []byte { return b[:max(len(b)-1, 0)] }),
	"zeroed":    change(func(b []byte) []byte { clear(b[len(b)/3 : len(b)/2]); return b }),
	"zeroed end": change(func(b []byte) []byte {
		clear(b[len(b)-min(len(b), 4096):])
		return b
	}),
	"first bit": change(func(b []byte) []byte { return flip(b, 0) }),
	"a bit":     change(func(b []byte) []byte { return flip(b, len(b)/2) }),
	"last bit":  change(func(b []byte) []byte { return flip(b, len(b)-1) }),
	"more":      change(func(b []byte) []byte { return append(b, bytes.Repeat([]byte{0xa5}, 5000)...) }),
}

func flip(b []byte, at int) []byte {
	if len(b) > 0 {
		b[at] ^= 4
	}
	return b
}

func change(how func([]byte) []byte) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, how(b), 0o600))
	}
}

// Whatever happens to a file of a closed or killed store: it opens, accounts for what is
// gone to the last event, serves the rest, and takes new events.
func TestDamage(t *testing.T) {
	cases := 0
	for ending, end := range endings {
		origin := filepath.Join(t.TempDir(), "data")
		place := end(t, origin)
		want := contents(t, origin)
		for _, file := range files(t, origin) {
			for name, damage := range damages {
				info, err := os.Stat(filepath.Join(origin, file))
				require.NoError(t, err)
				if info.IsDir() && name != "missing" {
					continue
				}
				cases++
				t.Run(strings.Join([]string{ending, filepath.Base(file), name}, "/"), func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "data")
					require.NoError(t, os.CopyFS(dir, os.DirFS(origin)))
					damage(t, filepath.Join(dir, file))
					checkDamaged(t, dir, want, place, file)
				})
			}
		}
	}
	t.Logf("%d cases", cases)
}

// contents are the ids of all events of an undamaged copy.
func contents(t *testing.T, origin string) []string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.CopyFS(dir, os.DirFS(origin)))
	s := open(t, store.Options{Directory: dir, MaxBytes: damagedBytes})
	all, gaps := readAll(t, s, store.Query{Limit: 1000})
	require.Empty(t, gaps)
	require.Zero(t, s.Stats(t.Context()).Lost)
	require.NoError(t, s.Close())
	return all
}

// files are those to damage: all that there are, and whole directories.
func files(t *testing.T, origin string) []string {
	t.Helper()
	all := []string{"jetstream", streamDir, streamDir + "/msgs"}
	blocks, err := filepath.Glob(filepath.Join(origin, streamDir, "msgs", "*"))
	require.NoError(t, err)
	require.Greater(t, len(blocks), 2, "several files of blocks")
	for _, path := range blocks {
		all = append(all, streamDir+"/msgs/"+filepath.Base(path))
	}
	return append(all, streamDir+"/meta.inf", streamDir+"/meta.sum", "generation", "tail", "lock")
}

func checkDamaged(t *testing.T, dir string, want []string, place store.Cursor, file string) {
	t.Helper()
	var health told
	core, logged := observer.New(zapcore.ErrorLevel)
	opts := store.Options{Directory: dir, MaxBytes: damagedBytes, Logger: zap.New(core), OnHealth: health.tell}
	s := open(t, opts)
	all, gaps := readAll(t, s, store.Query{Limit: 7})
	st := s.Stats(t.Context())
	lost := uint64(len(want) - len(all))
	t.Logf("%d of %d events lost, gaps %+v", lost, len(want), gaps)
	assert.Equal(t, lost, st.Lost)
	assert.EqualValues(t, len(want), st.Recovered)
	assert.EqualValues(t, len(all), st.Events)
	assert.Subset(t, want, all)
	assert.IsIncreasing(t, append([]string{""}, all...), "in order, each once")

	var damage *store.DamageError
	reports := logged.FilterMessage("the store is damaged: stored events are lost").All()
	if lost == 0 {
		assert.Empty(t, reports)
		assert.Empty(t, health.since(0))
	} else {
		require.Len(t, reports, 1, "logged once")
		assert.Equal(t, lost, reports[0].ContextMap()["events"])
		require.Len(t, health.since(0), 1)
		require.ErrorAs(t, health.since(0)[0], &damage)
		assert.Equal(t, lost, damage.Events)
		assert.GreaterOrEqual(t, damage.Events, damage.Blocks)
	}
	rest, gaps, err := readFrom(t, s, place)
	var gone *store.CursorError
	switch {
	case errors.As(err, &gone):
		require.True(t, damage != nil && damage.NewGeneration || file == "generation")
		assert.Equal(t, store.ReasonGeneration, gone.Reason)
	case lost > 0:
		require.NoError(t, err)
		assert.False(t, damage.NewGeneration)
		require.NotEmpty(t, gaps)
		for _, gap := range gaps {
			assert.Equal(t, store.ReasonDamage, gap.Reason)
		}
	default:
		require.NoError(t, err)
		assert.Empty(t, gaps)
		assert.Equal(t, want[3:], rest)
	}

	require.NoError(t, s.Append(t.Context(), logs("z", 0, 3)))
	all = append(all, names("z", 0, 3)...)
	again, _ := readAll(t, s, store.Query{Limit: 1000})
	assert.Equal(t, all, again)
	require.NoError(t, s.Close())

	opts.OnHealth = func(err error) { assert.NoError(t, err) }
	s = open(t, opts)
	again, _ = readAll(t, s, store.Query{Limit: 1000})
	assert.Equal(t, all, again)
	st = s.Stats(t.Context())
	assert.Zero(t, st.Lost, "counted once")
	assert.EqualValues(t, len(all), st.Recovered)
	require.NoError(t, s.Close())
}

// readOn reads everything after a place.
func readFrom(t *testing.T, s *store.Store, after store.Cursor) (all []string, gaps []store.Gap, err error) {
	t.Helper()
	for {
		p, err := s.Read(t.Context(), store.Query{Limit: 7, After: after})
		if err != nil {
			return all, gaps, err
		}
		all = append(all, ids(p)...)
		if p.Gap != nil {
			gaps = append(gaps, *p.Gap)
		}
		if !p.More {
			return all, gaps, nil
		}
		after = p.Next
	}
}
