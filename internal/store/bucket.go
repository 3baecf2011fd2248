package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// Errors of a Bucket.
var (
	ErrNoRecord = errors.New("there is no such record")
	// ErrConflict means that somebody else changed the record.
	ErrConflict = errors.New("the record was changed by somebody else")
)

// Bucket keeps small records beside the events, as durable as they are, and for all who
// share the stream. It is safe for concurrent use.
type Bucket struct {
	s    *Store
	name string

	mu sync.Mutex
	kv jetstream.KeyValue // nil until it is known to exist
}

func (s *Store) newBucket() *Bucket { return &Bucket{s: s, name: s.streamName + "_consumers"} }

// Records returns the store's bucket.
func (s *Store) Records() *Bucket { return s.records }

// Shared says whether others may write to the store's stream and its Records.
func (s *Store) Shared() bool { return s.opts.storage() == storageNATS }

// open returns the bucket; nil when it does not exist and need not.
func (b *Bucket) open(ctx context.Context, create bool) (jetstream.KeyValue, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kv != nil {
		return b.kv, nil
	}
	kv, err := b.s.reads.KeyValue(ctx, b.name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		if !create {
			return nil, nil
		}
		cfg := jetstream.KeyValueConfig{
			Bucket: b.name, Description: "Consumers of ISBL Telemetry", Storage: jetstream.FileStorage,
			Replicas: b.s.stream.CachedInfo().Config.Replicas,
		}
		if b.s.opts.storage() == storageMemory {
			cfg.Storage = jetstream.MemoryStorage
		}
		kv, err = b.s.reads.CreateKeyValue(ctx, cfg)
		if errors.Is(err, jetstream.ErrBucketExists) { // another collector was faster
			kv, err = b.s.reads.KeyValue(ctx, b.name)
		}
	}
	if err != nil {
		return nil, err
	}
	b.kv = kv
	return kv, nil
}

// do runs f on the bucket within the store's timeout. f gets nil when there is no bucket,
// which is created if create is set.
func (b *Bucket) do(ctx context.Context, create bool, f func(context.Context, jetstream.KeyValue) error) error {
	if b.s.closed.Load() {
		return ErrClosed
	}
	b.s.reopening.RLock()
	defer b.s.reopening.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, b.s.opts.Timeout)
	defer cancel()
	kv, err := b.open(ctx, create)
	if err == nil {
		err = f(ctx, kv)
	}
	switch {
	case err == nil, errors.Is(err, ErrNoRecord), errors.Is(err, ErrConflict):
		return err
	case b.s.closed.Load():
		return ErrClosed
	}
	if broken := b.s.health.check(); broken != nil {
		return broken
	}
	return fmt.Errorf("consumer records: %w", explained(err))
}

// Get returns a record and its revision. Errors: ErrNoRecord, ErrClosed, ErrReadOnly, and
// those of the connection.
func (b *Bucket) Get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	err = b.do(ctx, false, func(ctx context.Context, kv jetstream.KeyValue) error {
		if kv == nil {
			return ErrNoRecord
		}
		entry, err := kv.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return ErrNoRecord
		}
		if err != nil {
			return err
		}
		value, revision = entry.Value(), entry.Revision()
		return nil
	})
	return value, revision, err
}

// Put writes a record if its revision is still the one given, 0 for one that does not
// exist, and returns the new revision. After an error other than ErrConflict and
// ErrReadOnly it may be written all the same.
func (b *Bucket) Put(ctx context.Context, key string, value []byte, revision uint64) (written uint64, err error) {
	if err := b.s.health.readOnly(); err != nil {
		return 0, err
	}
	err = b.do(ctx, true, func(ctx context.Context, kv jetstream.KeyValue) error {
		var err error
		if revision == 0 {
			written, err = kv.Create(ctx, key, value)
		} else {
			written, err = kv.Update(ctx, key, value, revision)
		}
		return conflict(err)
	})
	return written, err
}

// Delete removes a record if its revision is still the one given.
func (b *Bucket) Delete(ctx context.Context, key string, revision uint64) error {
	if err := b.s.health.readOnly(); err != nil {
		return err
	}
	return b.do(ctx, false, func(ctx context.Context, kv jetstream.KeyValue) error {
		if kv == nil {
			return ErrNoRecord
		}
		return conflict(kv.Purge(ctx, key, jetstream.LastRevision(revision)))
	})
}

// Keys lists the records.
func (b *Bucket) Keys(ctx context.Context) (keys []string, err error) {
	err = b.do(ctx, false, func(ctx context.Context, kv jetstream.KeyValue) error {
		if kv == nil {
			return nil
		}
		keys, err = kv.Keys(ctx)
		if errors.Is(err, jetstream.ErrNoKeysFound) {
			return nil
		}
		return err
	})
	return keys, err
}

func conflict(err error) error {
	var api *jetstream.APIError
	if errors.Is(err, jetstream.ErrKeyExists) {
		return ErrConflict
	}
	// Replicated streams have a code of their own.
	if errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return ErrConflict
	}
	return err
}

// all returns every record, to be given to restore. It works on a store that is closing.
func (b *Bucket) all(ctx context.Context) (map[string][]byte, error) {
	kv, err := b.open(ctx, false)
	if kv == nil || err != nil {
		return nil, err
	}
	keys, err := kv.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, err
	}
	records := map[string][]byte{}
	for _, key := range keys {
		entry, err := kv.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		records[key] = entry.Value()
	}
	return records, nil
}

func (b *Bucket) restore(ctx context.Context, records map[string][]byte) error {
	for key, value := range records {
		if _, err := b.Put(ctx, key, value, 0); err != nil {
			return err
		}
	}
	return nil
}
