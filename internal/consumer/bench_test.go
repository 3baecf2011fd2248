package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// none is a sink that keeps nothing.
type none struct{}

func (none) Reset()                {}
func (none) Add(*store.Entry) bool { return false }

// A batch handed out and acknowledged, on disk and synced; also with dead letters, which
// are part of the record.
func BenchmarkFetchAck(b *testing.B) {
	for _, n := range []int{10, 1000} {
		for _, letters := range []int{0, 1000} {
			b.Run(fmt.Sprintf("batch=%d/dead=%d", n, letters), func(b *testing.B) {
				s := openStore(b, store.Options{Directory: b.TempDir()})
				for range 10 {
					require.NoError(b, s.Append(b.Context(), numbered(b, 0, 1000)))
				}
				c := New(s)
				b.Cleanup(c.Close)
				_, err := c.Put(b.Context(), "b", DefaultDefinition())
				require.NoError(b, err)
				err = c.change(b.Context(), "b", func(_ *entry, st *state) (bool, error) {
					for range letters {
						st.addDead(dead{Cursor: s.End(), Deliveries: 5, Since: time.Now()})
					}
					return true, nil
				})
				require.NoError(b, err)
				events := 0
				b.ReportAllocs()
				for b.Loop() {
					got, err := c.Fetch(b.Context(), "b", Fetch{Limit: n, To: none{}})
					require.NoError(b, err)
					if got.Events == 0 {
						require.NoError(b, c.Seek(b.Context(), "b", "start"))
						continue
					}
					events += got.Events
					_, err = c.Ack(b.Context(), "b", Ack{Lease: got.Lease})
					require.NoError(b, err)
				}
				b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
