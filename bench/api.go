package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// client reads. Each of its requests to one server uses the same few connections again.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}

// get asks the API of a peer; the caller closes the body.
func (p *peer) get(ctx context.Context, call string, query url.Values) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.api+"/api/v1/"+call+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1024))
		return nil, fmt.Errorf("GET %s: %s: %s", request.URL, answer.Status, text)
	}
	return answer, nil
}

// skim gets an answer and throws its body away. It returns the headers and the number of bytes.
func (p *peer) skim(ctx context.Context, call string, query url.Values) (http.Header, int64, error) {
	answer, err := p.get(ctx, call, query)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	return answer.Header, n, err
}

// storeStats is what we need of the store in `GET /stats`.
type storeStats struct {
	Events    int64 `json:"events"`
	Blocks    int64 `json:"blocks"`
	Bytes     int64 `json:"bytes"`
	Stored    int64 `json:"stored"`
	Duplicate int64 `json:"duplicate"`
}

// allStats is what we need of `GET /stats`.
type allStats struct {
	Store   storeStats `json:"store"`
	Buffers []struct {
		Received  int64 `json:"received"`
		Forwarded int64 `json:"forwarded"`
	} `json:"buffers"`
}

func (p *peer) stats(ctx context.Context) (storeStats, error) {
	all, err := p.counted(ctx)
	return all.Store, err
}

// counted returns what a peer has counted; nothing for a peer without our API.
func (p *peer) counted(ctx context.Context) (all allStats, err error) {
	if p.api == "" {
		return all, nil
	}
	answer, err := p.get(ctx, "stats", nil)
	if err != nil {
		return all, err
	}
	defer answer.Body.Close()
	return all, json.NewDecoder(answer.Body).Decode(&all)
}

// holds checks that a peer did the work: since before it has received the events that it answered,
// stored all that the sampler kept, and recognised none as a duplicate.
func (p *peer) holds(ctx context.Context, before allStats, answered int64) error {
	now, err := p.counted(ctx)
	if err != nil {
		return err
	}
	if n := now.Store.Duplicate - before.Store.Duplicate; n > 0 {
		return fmt.Errorf("%d of %d events were duplicates, which cost less", n, answered)
	}
	for i, b := range now.Buffers {
		received, forwarded := b.Received, b.Forwarded
		if i < len(before.Buffers) {
			received, forwarded = received-before.Buffers[i].Received, forwarded-before.Buffers[i].Forwarded
		}
		if stored := now.Store.Stored - before.Store.Stored; received < answered || stored < forwarded {
			return fmt.Errorf("%d events were answered, of which %d came in; %d were kept, of which %d are stored", answered, received, forwarded, stored)
		}
	}
	return nil
}

// pageReaders each fetch the page of the 1000 newest events ten times a second, where the peer can
// be read.
type pageReaders struct {
	peer          *peer
	number        int
	cancel        context.CancelFunc
	wg            sync.WaitGroup
	pages, failed atomic.Int64
}

func (r *pageReaders) begin(ctx context.Context) error {
	ctx, r.cancel = context.WithCancel(ctx)
	if r.peer.api == "" {
		return nil
	}
	const pause = 100 * time.Millisecond
	for i := range r.number {
		r.wg.Go(func() {
			_ = sleep(ctx, time.Duration(i)*pause/time.Duration(r.number)) // they do not all ask at once
			ticker := time.NewTicker(pause)
			defer ticker.Stop()
			for ctx.Err() == nil {
				_, _, err := r.peer.skim(ctx, "events", url.Values{"order": {"desc"}, "limit": {"1000"}})
				switch {
				case err == nil:
					r.pages.Add(1)
				case ctx.Err() == nil:
					r.failed.Add(1)
				}
				select {
				case <-ticker.C:
				case <-ctx.Done():
				}
			}
		})
	}
	return nil
}

func (r *pageReaders) end() {
	r.cancel()
	r.wg.Wait()
}
