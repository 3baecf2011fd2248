package series

import (
	"errors"
	"fmt"
	"sync"

	"github.com/isbl/telemetry/internal/budget"
)

const (
	// maxSamples is how many samples the series of a query have together, and how many the engine
	// holds at once.
	maxSamples = 1_000_000
	// sampleBytes is the memory that a sample takes, about: while it is counted, in its series, and
	// in the engine.
	sampleBytes = 40
	// cellsOfSeries is what a series takes beside its samples, in samples.
	cellsOfSeries = 10
	// grown is how many samples are reserved at a time.
	grown = 4096
)

// errTooManySamples is about a query that needs more memory than there is for one.
var errTooManySamples = fmt.Errorf("the query needs more than %d samples: choose fewer series by matchers or sum by (event_type), a longer step, or a shorter range", maxSamples)

// room is the memory of a query. It is safe for concurrent use.
type room struct {
	mu          sync.Mutex
	samples     int
	reserved    int
	reservation budget.Reservation
}

func newRoom(b *budget.Budget) *room {
	r := &room{}
	r.reservation.Use(b)
	return r
}

// take takes room for samples. Errors: errTooManySamples, budget.ErrFull.
func (r *room) take(samples int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.samples += samples; r.samples > maxSamples {
		return errTooManySamples
	}
	if r.samples <= r.reserved {
		return nil
	}
	most := (r.samples + grown - 1) / grown * grown
	if err := r.reservation.Resize(int64(most) * sampleBytes); err != nil {
		if errors.Is(err, budget.ErrTooLarge) {
			return errTooManySamples
		}
		return err
	}
	r.reserved = most
	return nil
}

func (r *room) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reservation.Release()
}
