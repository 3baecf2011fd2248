package log

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// records are the Records of a stream, in a key-value bucket that is created when it is first
// written to.
type records struct {
	js       jetstream.JetStream
	bucket   string
	storage  jetstream.StorageType
	replicas int

	mu sync.Mutex
	kv jetstream.KeyValue // nil until it is known to exist
}

// open returns the bucket; nil where it does not exist and need not.
func (r *records) open(ctx context.Context, create bool) (jetstream.KeyValue, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kv != nil {
		return r.kv, nil
	}
	kv, err := r.js.KeyValue(ctx, r.bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		if !create {
			return nil, nil
		}
		kv, err = r.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: r.bucket, Description: "Consumers of ISBL Telemetry", Storage: r.storage, Replicas: r.replicas,
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // another collector was faster
			kv, err = r.js.KeyValue(ctx, r.bucket)
		}
	}
	if err != nil {
		return nil, explained(err)
	}
	r.kv = kv
	return kv, nil
}

func (r *records) Get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	kv, err := r.open(ctx, false)
	if err != nil {
		return nil, 0, err
	}
	if kv == nil {
		return nil, 0, ErrNoRecord
	}
	entry, err := kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return nil, 0, ErrNoRecord
	case err != nil:
		return nil, 0, explained(err)
	}
	return entry.Value(), entry.Revision(), nil
}

func (r *records) Put(ctx context.Context, key string, value []byte, revision uint64) (written uint64, err error) {
	kv, err := r.open(ctx, true)
	if err != nil {
		return 0, err
	}
	if revision == 0 {
		written, err = kv.Create(ctx, key, value)
	} else {
		written, err = kv.Update(ctx, key, value, revision)
	}
	return written, conflict(err)
}

func (r *records) Delete(ctx context.Context, key string, revision uint64) error {
	kv, err := r.open(ctx, false)
	if err != nil {
		return err
	}
	if kv == nil {
		return ErrNoRecord
	}
	return conflict(kv.Purge(ctx, key, jetstream.LastRevision(revision)))
}

func (r *records) Keys(ctx context.Context) ([]string, error) {
	kv, err := r.open(ctx, false)
	if kv == nil || err != nil {
		return nil, err
	}
	keys, err := kv.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, nil
	}
	return keys, explained(err)
}

func conflict(err error) error {
	if errors.Is(err, jetstream.ErrKeyExists) {
		return ErrConflict
	}
	var api *jetstream.APIError
	if errors.As(err, &api) { // replicated streams have a code of their own
		switch api.ErrorCode {
		case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
			return ErrConflict
		}
	}
	return explained(err)
}
