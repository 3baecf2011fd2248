package api

import (
	"cmp"
	"context"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/isbl/telemetry/internal/buffers"
	"github.com/isbl/telemetry/internal/eventtype"
	"github.com/isbl/telemetry/internal/httpjson"
	"github.com/isbl/telemetry/internal/receivers"
	"github.com/isbl/telemetry/internal/store"
	"github.com/isbl/telemetry/internal/version"
)

// stats is the answer of GET /api/v1/stats.
type stats struct {
	SourceID      string                     `json:"source_id"`
	Version       string                     `json:"version"`
	Started       time.Time                  `json:"started"`
	UptimeSeconds float64                    `json:"uptime_seconds"`
	Store         store.Stats                `json:"store"`
	Buffers       []buffers.Snapshot         `json:"buffers"`
	Receivers     []receivers.Receiver       `json:"receivers"`
	EventTypes    map[string]typeStats       `json:"event_types"`
	Sources       map[string]store.NameStats `json:"sources"`
	Rates         rates                      `json:"rates"`
	Viewers       int                        `json:"viewers"` // of streams
}

// typeStats counts the events of one type on their way into the store. What a buffer
// counts is left out where it is zero.
type typeStats struct {
	Received   uint64 `json:"received,omitempty"`
	Filtered   uint64 `json:"filtered,omitempty"`
	SampledOut uint64 `json:"sampled_out,omitempty"`
	Dropped    uint64 `json:"dropped,omitempty"`
	store.NameStats
}

// rates are over the last WindowSeconds, or since the start when that is less.
type rates struct {
	StoredPerSecond float64 `json:"stored_per_second"`
	WindowSeconds   int     `json:"window_seconds"`
}

func (h *Handler) statsCall() call {
	return call{
		Method:      http.MethodGet,
		Path:        prefix + "/stats",
		Description: "What came in, and what became of it, accounted for to the last event.",
		Examples:    []string{prefix + "/stats"},
		serve:       h.serveStats,
	}
}

func (h *Handler) serveStats(w http.ResponseWriter, r *http.Request, _ url.Values) *problem {
	httpjson.Write(w, http.StatusOK, h.stats(r.Context()))
	return nil
}

func (h *Handler) stats(ctx context.Context) stats {
	s := stats{
		SourceID:  h.opts.SourceID,
		Version:   version.String(),
		Started:   h.opts.Started.UTC(),
		Store:     h.opts.Store.Stats(ctx), // first: what is stored by now was received before
		Buffers:   []buffers.Snapshot{},
		Receivers: h.receivers(),
	}
	if h.opts.Buffers != nil {
		s.Buffers = append(s.Buffers, h.opts.Buffers()...)
	}
	now := time.Now()
	s.UptimeSeconds = math.Round(now.Sub(h.opts.Started).Seconds()*1000) / 1000
	s.EventTypes = mergeTypes(s.Buffers, s.Store.EventTypes)
	s.Sources = s.Store.Sources
	s.Viewers = h.news.viewers()
	s.Rates = rates{
		StoredPerSecond: math.Round(h.rate.perSecond(now, s.Store.Stored)*10) / 10,
		WindowSeconds:   rateWindow,
	}
	return s
}

// mergeTypes puts together what buffers and store count per event type. Above eventtype.MaxCounted
// the rarest are counted as other.
func mergeTypes(snapshots []buffers.Snapshot, stored map[string]store.NameStats) map[string]typeStats {
	all := make(map[string]typeStats, len(stored))
	for name, s := range stored {
		all[name] = typeStats{NameStats: s}
	}
	for _, b := range snapshots {
		for name, c := range b.EventTypes {
			t := all[name]
			t.add(typeStats{Received: c.Received, Filtered: c.Filtered, SampledOut: c.SampledOut, Dropped: c.Dropped})
			all[name] = t
		}
	}
	other, some := all[eventtype.Others]
	delete(all, eventtype.Others)
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[b].weight(), all[a].weight()), cmp.Compare(a, b))
	})
	for _, name := range names[min(eventtype.MaxCounted, len(names)):] {
		other.add(all[name])
		delete(all, name)
		some = true
	}
	if some {
		all[eventtype.Others] = other
	}
	return all
}

func (t *typeStats) add(more typeStats) {
	t.Received += more.Received
	t.Filtered += more.Filtered
	t.SampledOut += more.SampledOut
	t.Dropped += more.Dropped
	t.Stored += more.Stored
	t.Estimated += more.Estimated
}

func (t typeStats) weight() uint64 { return max(t.Received, t.Stored) }

// sampleRate feeds h.rate until the Handler is closed.
func (h *Handler) sampleRate() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		h.rate.add(time.Now(), h.opts.Store.Stats(h.closing).Stored)
		select {
		case <-tick.C:
		case <-h.closing.Done():
			return
		}
	}
}
