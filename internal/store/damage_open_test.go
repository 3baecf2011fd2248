package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/isbl/telemetry/internal/store"
)

// Files that are damaged while the store is open: readers and sums learn of it, and events
// stored afterwards are neither lost nor confused with those that were.
func TestDamageWhileOpen(t *testing.T) {
	cases := 0
	for _, file := range []string{"1.blk", "2.blk", "3.blk"} { // the oldest, one between, the newest
		for name, damage := range damages {
			cases++
			t.Run(file+"/"+name, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "data")
				var health told
				opts := store.Options{Directory: dir, MaxBytes: damagedBytes, OnHealth: health.tell}
				opts.WithoutSideIndex() // or JetStream has read some of it
				s := open(t, opts)
				place := fillForDamage(t, s, 0, damagedBlocks)
				require.NoError(t, s.Close()) // nothing is cached
				s = open(t, opts)
				want := int(s.Stats(t.Context()).Events)
				damage(t, filepath.Join(dir, streamDir, "msgs", file))

				all, gaps := readAll(t, s, store.Query{Limit: 1000})
				waitFor(t, func() bool { return s.Append(t.Context(), logs("z", 0, 3)) == nil })
				all = append(all, names("z", 0, 3)...)
				again, _ := readAll(t, s, store.Query{Limit: 1000})
				assert.Equal(t, all, again)
				st := s.Stats(t.Context())
				lost := want + 3 - len(all)
				t.Logf("%d of %d events lost, gaps %+v", lost, want, gaps)
				assert.EqualValues(t, lost, st.Lost)
				assert.Zero(t, st.Evicted)
				assert.EqualValues(t, len(all), st.Events)
				assert.Equal(t, st.Recovered+st.Stored, st.Events+st.Evicted+st.Lost)
				told := 0
				for _, err := range health.since(0) {
					if damage, ok := err.(*store.DamageError); ok { //nolint:errorlint // as it was given
						told += int(damage.Events)
					}
				}
				assert.Equal(t, lost, told)
				if lost > 0 {
					_, gaps, err := readFrom(t, s, place)
					assert.True(t, err != nil || len(gaps) > 0 && gaps[0].Reason == store.ReasonDamage, "%v %v", gaps, err)
				}
				require.NoError(t, s.Close())

				s = open(t, opts)
				again, _ = readAll(t, s, store.Query{Limit: 1000})
				assert.Subset(t, all, again)
				assert.EqualValues(t, len(all)-len(again), s.Stats(t.Context()).Lost, "counted once: what JetStream still had in memory, now")
			})
		}
	}
	t.Cleanup(func() { t.Logf("%d cases", cases) })
}

// A store that is full evicts all the time. After a crash, what retention took since the
// last tail is not lost, and what is damaged of the rest is.
func TestDamageOfFullStore(t *testing.T) {
	const (
		room   = 80 << 10
		before = 200 // blocks when the tail was written
		since  = 40
	)
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, left := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "data")
			s := open(t, store.Options{Directory: dir, MaxBytes: room})
			fillForDamage(t, s, 0, before)
			waitFor(t, func() bool { return remembers(t, dir, s.Stats(t.Context()).Events) })
			tail, err := os.ReadFile(filepath.Join(dir, "tail"))
			require.NoError(t, err)
			fillForDamage(t, s, before, before+since)
			want, _ := readAll(t, s, store.Query{Limit: 1000})
			require.Positive(t, s.Stats(t.Context()).Evicted)
			require.NoError(t, os.CopyFS(left, os.DirFS(dir)))
			require.NoError(t, os.WriteFile(filepath.Join(left, "tail"), tail, 0o600))

			files, err := filepath.Glob(filepath.Join(left, streamDir, "msgs", "*.blk"))
			require.NoError(t, err)
			slices.Sort(files)
			damage(t, files[len(files)-2])
			core, logged := observer.New(zapcore.ErrorLevel)
			d := open(t, store.Options{Directory: left, MaxBytes: room, Logger: zap.New(core)})
			all, _ := readAll(t, d, store.Query{Limit: 1000})
			missing, known := 0, 0
			for _, id := range want { // at a start, retention may take some more
				if id > all[0] && !slices.Contains(all, id) {
					missing++
					if id < fmt.Sprintf("b%03d", before) {
						known++
					}
				}
			}
			st := d.Stats(t.Context())
			t.Logf("%d of %d events are missing, %d of them stored before the tail", missing, len(want), known)
			assert.EqualValues(t, known, st.Lost)
			assert.Equal(t, st.Recovered, st.Events+st.Lost)
			reports := logged.FilterMessage("the store is damaged: stored events are lost").Len()
			assert.Equal(t, missing > 0, reports == 1)
		})
	}
}
