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

// storeStats is what we need of `GET /stats`.
type storeStats struct {
	Events int64 `json:"events"`
	Blocks int64 `json:"blocks"`
	Bytes  int64 `json:"bytes"`
}

func (p *peer) stats(ctx context.Context) (storeStats, error) {
	answer, err := p.get(ctx, "stats", nil)
	if err != nil {
		return storeStats{}, err
	}
	defer answer.Body.Close()
	var all struct {
		Store storeStats `json:"store"`
	}
	return all.Store, json.NewDecoder(answer.Body).Decode(&all)
}

// pageReaders each fetch the page of the 1000 newest events ten times a second, where the peer can be read.
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
