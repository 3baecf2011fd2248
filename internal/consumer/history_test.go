package consumer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// Histories made at random, with outages of what workers need, bad events, workers that die,
// failing writes, restarts and seeks, keep the promises of a consumer after every step: on one
// store, and on two that share a stream.
func TestHistories(t *testing.T) {
	for _, shared := range []bool{false, true} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("shared=%v/%d", shared, seed), func(t *testing.T) { newHistory(t, shared, seed).run() })
		}
	}
}

// history is a consumer at work, and what is known of each event.
type history struct {
	t         *testing.T
	r         *rand.Rand
	now       time.Time
	stores    []*store.Store
	faults    []*faulty
	consumers []*Consumers
	d         Definition
	ackWait   time.Duration

	events  int            // stored
	next    int            // the first that was never handed out
	done    map[int]bool   // or given up by seek
	dead    map[int]bool   // as far as it was told
	holders map[int]string // the lease under which it was handed out last
	leases  map[string]*held
	order   []string // of leases
	down    bool     // what the workers need is
}

// held is a batch that a worker has.
type held struct {
	events   []int
	cursors  []store.Cursor
	deadline time.Time
	acked    bool
}

// bad events fail always.
func bad(event int) bool { return event%23 == 7 }

func newHistory(t *testing.T, shared bool, seed uint64) *history {
	h := &history{
		t: t, r: rand.New(rand.NewPCG(seed, 7)), now: time.Now().UTC(), stores: openStores(t, shared), ackWait: 10 * time.Second,
		done: map[int]bool{}, dead: map[int]bool{}, holders: map[int]string{}, leases: map[string]*held{},
	}
	h.d = DefaultDefinition()
	h.d.AckWait, h.d.MaxInFlight, h.d.MaxDeliver = "10s", 20+h.r.IntN(30), 8
	h.faults, h.consumers = make([]*faulty, len(h.stores)), make([]*Consumers, len(h.stores))
	for i := range h.stores {
		h.restart(i)
	}
	t.Cleanup(func() {
		for _, c := range h.consumers {
			c.Close()
		}
	})
	h.faults[0].fail = false
	_, err := h.consumers[0].Put(t.Context(), "c", h.d)
	require.NoError(t, err)
	h.faults[0].fail = true
	return h
}

func (h *history) restart(i int) {
	if h.consumers[i] != nil {
		h.consumers[i].Close()
	}
	h.consumers[i] = New(h.stores[i])
	h.faults[i] = &faulty{bucket: h.stores[i].Records(), r: h.r, fail: true}
	h.consumers[i].states, h.consumers[i].now = h.faults[i], func() time.Time { return h.now }
}

func (h *history) run() {
	for range 500 {
		i := h.r.IntN(len(h.stores))
		h.faults[i].wrote = nil
		switch op := h.r.IntN(24); {
		case op < 3:
			h.append(i)
		case op < 11:
			h.fetch(i, 1+h.r.IntN(10), h.r.IntN(12) == 0)
		case op < 18:
			h.work(i)
		case op == 18:
			h.extend(i)
		case op == 19:
			h.restart(i)
		case op == 20 && h.r.IntN(6) == 0:
			h.down = !h.down
		case op == 21 && h.r.IntN(20) == 0:
			h.seek(i)
		default:
			h.now = h.now.Add(time.Duration(h.r.IntN(6)) * time.Second)
		}
	}
	h.finish()
}

func (h *history) append(i int) {
	n := 1 + h.r.IntN(8)
	require.NoError(h.t, h.stores[i].Append(h.t.Context(), numbered(h.t, h.events, n)))
	h.events += n
	for _, s := range h.stores { // all have seen it
		require.Eventually(h.t, func() bool { return s.Stats(h.t.Context()).Events == uint64(h.events) }, 30*time.Second, time.Millisecond)
	}
}

// fetch checks what is handed out: nothing that is done, dead or with another worker, new events in
// order and without holes, and no more than was asked for.
func (h *history) fetch(i, limit int, ackNow bool) (got Batch, events []int) {
	sink := &list{t: h.t}
	got, err := h.consumers[i].Fetch(h.t.Context(), "c", Fetch{Limit: limit, AckNow: ackNow, To: sink})
	if err != nil {
		require.ErrorIs(h.t, err, errInjected)
		h.unknownFetch(i, ackNow)
		return got, nil
	}
	require.Equal(h.t, len(sink.got), got.Events)
	require.LessOrEqual(h.t, got.Events, limit)
	require.Nil(h.t, got.Gap)
	for _, e := range sink.got {
		require.False(h.t, h.done[e], "event %d is done", e)
		require.False(h.t, h.dead[e], "event %d is dead", e)
		if l := h.leases[h.holders[e]]; l != nil && !l.acked {
			require.False(h.t, l.deadline.After(h.now), "event %d is with another worker", e)
		}
		if e >= h.next {
			require.Equal(h.t, h.next, e, "a new event was left out")
			h.next++
			require.True(h.t, ackNow || h.outstanding() <= h.d.MaxInFlight)
		}
	}
	if got.Events == 0 {
		require.Empty(h.t, got.Lease)
		return got, nil
	}
	require.Equal(h.t, ackNow, got.Lease == "")
	for _, e := range sink.got {
		h.holders[e] = got.Lease
		if ackNow {
			h.done[e] = true
		}
	}
	if !ackNow {
		h.leases[got.Lease] = &held{events: slices.Clone(sink.got), cursors: slices.Clone(sink.cursors), deadline: got.Deadline}
		h.order = append(h.order, got.Lease)
	}
	return got, slices.Clone(sink.got)
}

// unknownFetch looks at what a fetch that failed after it wrote handed out to nobody.
func (h *history) unknownFetch(i int, ackNow bool) {
	if h.faults[i].wrote == nil {
		return
	}
	s, err := decode(h.faults[i].wrote)
	require.NoError(h.t, err)
	page, err := h.stores[0].Read(h.t.Context(), store.Query{Limit: 10_000})
	require.NoError(h.t, err)
	for n, e := range page.Entries {
		switch cursor := e.Cursor; {
		case slices.ContainsFunc(s.Spans, func(p span) bool {
			return p.Lease != "" && h.leases[p.Lease] == nil && cursor.Compare(p.After) > 0 && cursor.Compare(p.Last) <= 0
		}):
			h.holders[n] = "nobody"
		case ackNow && cursor.Compare(s.Next) <= 0 && !h.dead[n] &&
			!slices.ContainsFunc(s.Spans, func(p span) bool { return cursor.Compare(p.After) > 0 && cursor.Compare(p.Last) <= 0 }) &&
			!slices.ContainsFunc(s.Dead, func(d dead) bool { return d.Cursor == cursor }):
			h.done[n] = true
		}
		if e.Cursor.Compare(s.Next) <= 0 {
			h.next = max(h.next, n+1)
		}
	}
}

// outstanding counts the events that were handed out, and are neither done nor dead.
func (h *history) outstanding() (n int) {
	for e := range h.next {
		if !h.done[e] && !h.dead[e] {
			n++
		}
	}
	return n - len(h.unseenDead())
}

// unseenDead are the dead letters of leases that ran out, which nobody was told of.
func (h *history) unseenDead() (list []int) {
	for _, e := range h.deadLetters() {
		if !h.dead[e] {
			list = append(list, e)
		}
	}
	return list
}

func (h *history) deadLetters() (list []int) {
	raw, _, err := h.stores[0].Records().Get(h.t.Context(), "c")
	require.NoError(h.t, err)
	s, err := decode(raw)
	require.NoError(h.t, err)
	for _, d := range s.Dead {
		page, err := h.stores[0].Read(h.t.Context(), store.Query{After: d.Cursor.Previous(), Before: d.Cursor, Limit: 1})
		require.NoError(h.t, err)
		v, _ := page.Entries[0].Ref().Data("n")
		list = append(list, int(v.Int()))
	}
	return list
}

// work ends the work of a batch: as a worker that names what failed, as one that only knows that
// something did, or as one that gives it back.
func (h *history) work(i int) {
	if len(h.order) == 0 {
		return
	}
	lease := h.order[max(0, len(h.order)-1-h.r.IntN(6))]
	b := h.leases[lease]
	var failed []int
	for at, e := range b.events {
		if h.down || bad(e) {
			failed = append(failed, at)
		}
	}
	a := Ack{Lease: lease}
	switch kind := h.r.IntN(10); {
	case kind == 0:
		return // it died
	case h.down && kind == 1:
		a.GiveBack, failed = true, numbers(0, len(b.events))
	case kind < 5 && len(failed) > 0:
		failed = numbers(0, len(b.events))
	}
	if h.r.IntN(8) == 0 {
		delay := time.Duration(h.r.IntN(5)) * time.Second
		a.Delay = &delay
	}
	for _, at := range failed {
		if !a.GiveBack {
			a.Failed = append(a.Failed, b.cursors[at])
		}
	}
	h.ack(i, &a, b, failed)
}

func (h *history) ack(i int, a *Ack, b *held, failed []int) {
	before := b.acked
	acked, err := h.consumers[i].Ack(h.t.Context(), "c", *a)
	known := err == nil || errors.Is(err, errInjected) && h.faults[i].wrote != nil
	switch {
	case errors.Is(err, errInjected):
	case errors.Is(err, ErrLeaseLost):
		require.False(h.t, b.deadline.After(h.now) && !before, "a lease that holds is lost")
	default:
		require.NoError(h.t, err)
	}
	if !known || before {
		if before && err == nil {
			require.Equal(h.t, Acked{}, acked)
		}
		return
	}
	b.acked = true
	mine := 0
	for at, e := range b.events {
		if h.holders[e] != a.Lease { // a part of a batch that expired was handed out again
			continue
		}
		mine++
		if !slices.Contains(failed, at) {
			h.done[e] = true
		}
	}
	if err == nil && mine == len(b.events) {
		require.Equal(h.t, len(b.events)-len(failed), acked.Acknowledged)
		require.Equal(h.t, len(failed), acked.Returned+acked.Dead)
	}
	for _, e := range h.unseenDead() {
		require.True(h.t, bad(e), "event %d is good, and dead", e)
		h.dead[e] = true
	}
}

func (h *history) extend(i int) {
	if len(h.order) == 0 {
		return
	}
	lease := h.order[max(0, len(h.order)-1-h.r.IntN(4))]
	b := h.leases[lease]
	_, err := h.consumers[i].Extend(h.t.Context(), "c", lease)
	switch {
	case err == nil || errors.Is(err, errInjected) && h.faults[i].wrote != nil:
		b.deadline = h.now.Add(h.ackWait)
	case !errors.Is(err, errInjected):
		require.ErrorIs(h.t, err, ErrLeaseLost)
		require.False(h.t, b.deadline.After(h.now) && !b.acked, "a lease that holds is lost")
	}
}

func (h *history) seek(i int) {
	if h.events == 0 {
		return
	}
	to := h.r.IntN(h.events)
	page, err := h.stores[0].Read(h.t.Context(), store.Query{Limit: 10_000})
	require.NoError(h.t, err)
	if err := h.consumers[i].Seek(h.t.Context(), "c", page.Entries[to].Cursor.String()); err != nil && h.faults[i].wrote == nil {
		return
	}
	h.next, h.leases, h.order, h.holders = to+1, map[string]*held{}, nil, map[int]string{}
	for e := range h.events {
		h.done[e] = e <= to
		if e > to {
			delete(h.dead, e) // it may be handed out again
		}
	}
}

// finish lets workers work without faults until all events are done or dead. New ones keep
// arriving: without any that is acknowledged, it would look like an outage.
func (h *history) finish() {
	h.down = false
	for _, f := range h.faults {
		f.fail = false
	}
	left := numbers(0, h.events)
	for range 1000 {
		h.now = h.now.Add(2 * time.Minute)
		require.NoError(h.t, h.stores[0].Append(h.t.Context(), numbered(h.t, h.events, 1)))
		h.events++
		got, events := h.fetch(0, 10, false)
		if got.Events > 0 {
			b := h.leases[got.Lease]
			a := Ack{Lease: got.Lease}
			var failed []int
			for at, e := range events {
				if bad(e) {
					failed, a.Failed = append(failed, at), append(a.Failed, b.cursors[at])
				}
			}
			h.ack(0, &a, b, failed)
		}
		dead := h.deadLetters()
		left = slices.DeleteFunc(left, func(e int) bool { return h.done[e] || slices.Contains(dead, e) })
		if len(left) == 0 {
			return
		}
	}
	h.t.Fatalf("events %v are neither done nor dead", left)
}
