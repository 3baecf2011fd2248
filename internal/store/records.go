package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/isbl/telemetry/internal/store/log"
)

// Errors of Records.
var (
	ErrNoRecord = log.ErrNoRecord
	// ErrConflict means that somebody else changed the record.
	ErrConflict = log.ErrConflict
)

// Records are small values beside the events, as durable as they are, and shared by all processes
// that share the store. They are safe for concurrent use.
type Records struct{ s *Store }

// Records returns the store's records.
func (s *Store) Records() Records { return Records{s} }

// Shared reports whether other processes may write to the store and its Records.
func (s *Store) Shared() bool { return s.log.Info().Shared }

// do calls f within the store's timeout.
func (r Records) do(ctx context.Context, f func(context.Context, log.Records) error) error {
	if r.s.closed.Load() {
		return ErrClosed
	}
	r.s.reopening.RLock()
	defer r.s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, r.s.opts.Timeout)
	defer cancel()
	err := f(ctx, r.s.log.Records())
	switch {
	case err == nil, errors.Is(err, ErrNoRecord), errors.Is(err, ErrConflict):
		return err
	case r.s.closed.Load():
		return ErrClosed
	}
	if broken := r.s.health.Check(); broken != nil {
		return broken
	}
	return fmt.Errorf("consumer records: %w", err)
}

// Get returns a record and its revision. Errors: ErrNoRecord, ErrClosed, ErrReadOnly, and those of
// the connection.
func (r Records) Get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	err = r.do(ctx, func(ctx context.Context, records log.Records) (err error) {
		value, revision, err = records.Get(ctx, key)
		return err
	})
	return value, revision, err
}

// Put writes a record if its revision is still the one given, 0 for one that does not exist, and
// returns the new revision. After an error other than ErrConflict and ErrReadOnly it may be written
// all the same.
func (r Records) Put(ctx context.Context, key string, value []byte, revision uint64) (written uint64, err error) {
	if err := r.s.health.ReadOnly(); err != nil {
		return 0, err
	}
	err = r.do(ctx, func(ctx context.Context, records log.Records) (err error) {
		written, err = records.Put(ctx, key, value, revision)
		return err
	})
	return written, err
}

// Delete removes a record if its revision is still the one given.
func (r Records) Delete(ctx context.Context, key string, revision uint64) error {
	if err := r.s.health.ReadOnly(); err != nil {
		return err
	}
	return r.do(ctx, func(ctx context.Context, records log.Records) error {
		return records.Delete(ctx, key, revision)
	})
}

// Keys lists the records of consumers: those whose keys do not begin with a slash.
func (r Records) Keys(ctx context.Context) (keys []string, err error) {
	err = r.do(ctx, func(ctx context.Context, records log.Records) (err error) {
		keys, err = records.Keys(ctx)
		return err
	})
	return slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, "/") }), err
}
