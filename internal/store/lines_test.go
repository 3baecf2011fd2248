package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/event"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/store/wire"
)

// The first reader of a block has it written, later ones get what was written.
func TestAllReadersGetTheSameLines(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		t.Run(fmt.Sprintf("disk=%t", dir != ""), func(t *testing.T) {
			s := open(t, store.Options{Directory: dir})
			for i := range 3 {
				require.NoError(t, s.Append(t.Context(), logs("a", 10*i, 10)))
			}
			var readers sync.WaitGroup
			for range 8 {
				readers.Go(func() {
					for _, descending := range []bool{false, true} {
						p, err := s.Read(t.Context(), store.Query{Limit: 25, Descending: descending})
						if !assert.NoError(t, err) || !assert.Len(t, p.Entries, 25) {
							return
						}
						var encoder wire.JSONEncoder
						for _, e := range p.Entries {
							one := e.Ref().Event()
							want := fmt.Sprintf(`{"cursor":%q,%s`, e.Cursor, event.AppendJSON(nil, &one)[1:])
							assert.Equal(t, want, string(e.AppendJSON(nil, &encoder)))
						}
					}
				})
			}
			readers.Wait()
		})
	}
}
