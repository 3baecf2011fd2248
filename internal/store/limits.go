package store

import (
	"context"

	"github.com/isbl/telemetry/internal/store/ledger"
	"github.com/isbl/telemetry/internal/store/log/embedded"
)

// DiskFree returns the room left on the disk that keeps the events, in bytes, and false where the
// store has no disk of its own or the system does not say.
func (s *Store) DiskFree() (bytes int64, ok bool) {
	if s.opts.Directory == "" {
		return 0, false
	}
	bytes, err := embedded.FreeBytes(s.opts.Directory)
	return bytes, err == nil
}

// retention returns the limits in effect.
func (s *Store) retention() ledger.Retention {
	info := s.log.Info()
	r := ledger.Retention{
		MaxBytes: uint64(info.MaxBytes), MaxAgeSeconds: info.MaxAge.Seconds(), MaxEvents: s.opts.MaxEvents,
		WhenFull: ledger.DiscardOld,
	}
	if info.RejectNew {
		r.WhenFull = ledger.RejectNew
	}
	return r
}

// healthNow says whether events are taken; unreachable is why the log did not answer just now, or
// nil. A caller that left says nothing of the log.
func (s *Store) healthNow(ctx context.Context, unreachable error) ledger.Health {
	if err := s.health.ReadOnly(); err != nil {
		return ledger.Health{Status: ledger.HealthReadOnly, Detail: err.Error()}
	}
	if unreachable != nil && ctx.Err() == nil {
		return ledger.Health{Status: ledger.HealthUnreachable, Detail: unreachable.Error()}
	}
	return ledger.Health{Status: ledger.HealthOK}
}
