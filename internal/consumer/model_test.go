package consumer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/isbl/telemetry/internal/store"
)

// model is a consumer without a store, whose events are numbers: what Consumers do has to be
// what it says, after every step.
type model struct {
	d          Definition
	ackWait    time.Duration
	events     int // how many there are
	next       int
	spans      []modelSpan
	dead, done []int
	skipped    []int    // by seek
	leases     []string // acknowledged
}

type modelSpan struct {
	events              []int
	deliveries, expired int
	lease               string
	due                 time.Time
}

func (m *model) clone() *model {
	out := *m
	out.spans, out.dead, out.done = slices.Clone(m.spans), slices.Clone(m.dead), slices.Clone(m.done)
	out.skipped, out.leases = slices.Clone(m.skipped), slices.Clone(m.leases)
	return &out
}

// seek goes on after an event.
func (m *model) seek(after int) {
	m.spans, m.next = nil, after+1
	for e := range after + 1 {
		m.skipped = append(m.skipped, e)
	}
}

// fetch returns the span that is to be handed out.
func (m *model) fetch(now time.Time, limit int, ackNow bool) (got modelSpan) {
	for {
		i := -1
		for at, s := range m.spans {
			if !s.due.After(now) && (i < 0 || s.events[0] < m.spans[i].events[0]) {
				i = at
			}
		}
		if i < 0 {
			break
		}
		got = m.spans[i]
		m.spans = slices.Delete(m.spans, i, i+1)
		if got.lease != "" {
			got.lease = ""
			got.expired++
		}
		if m.d.MaxDeliver > 0 && got.deliveries >= m.d.MaxDeliver {
			m.dead = append(m.dead, got.events...)
			got = modelSpan{}
			continue
		}
		n := min(limit, len(got.events))
		if got.expired >= 2 {
			n, got.expired = min(n, (len(got.events)+1)/2), 0
		}
		if n < len(got.events) {
			rest := got
			rest.events, rest.due = got.events[n:], now
			m.spans = append(m.spans, rest)
			got.events = got.events[:n]
		}
		break
	}
	if len(got.events) == 0 {
		room := m.d.MaxInFlight
		for _, s := range m.spans {
			room -= len(s.events)
		}
		if ackNow {
			room = limit
		}
		for n := min(limit, room); n > 0 && m.next < m.events; n-- {
			got.events = append(got.events, m.next)
			m.next++
		}
	}
	if len(got.events) == 0 {
		return got
	}
	got.deliveries++
	if ackNow {
		m.done = append(m.done, got.events...)
	}
	return got
}

// handedOut notes the lease of what fetch returned.
func (m *model) handedOut(s modelSpan, lease string, now time.Time) {
	s.lease, s.due = lease, now.Add(m.ackWait)
	m.spans = append(m.spans, s)
}

func (m *model) ack(now time.Time, lease string, failed []int, delay time.Duration) (Acked, error) {
	i := slices.IndexFunc(m.spans, func(s modelSpan) bool { return s.lease == lease })
	if i < 0 {
		if slices.Contains(m.leases, lease) {
			return Acked{}, nil
		}
		return Acked{}, ErrLeaseLost
	}
	s := m.spans[i]
	m.spans = slices.Delete(m.spans, i, i+1)
	m.leases = append(m.leases, lease)
	var acked Acked
	for _, e := range s.events {
		if !slices.Contains(failed, e) {
			m.done = append(m.done, e)
			acked.Acknowledged++
		}
	}
	for _, e := range failed {
		if m.d.MaxDeliver > 0 && s.deliveries >= m.d.MaxDeliver {
			m.dead = append(m.dead, e)
			acked.Dead++
			continue
		}
		m.spans = append(m.spans, modelSpan{events: []int{e}, deliveries: s.deliveries, due: now.Add(delay)})
		acked.Returned++
	}
	return acked, nil
}

// faulty is a records that sometimes fails: before it wrote, or after.
type faulty struct {
	bucket
	r     *rand.Rand
	wrote []byte // by the call that failed after it wrote; nil without one
	fail  bool
}

var errInjected = errors.New("injected")

func (f *faulty) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if !f.fail || f.r.IntN(10) > 0 {
		return f.bucket.Put(ctx, key, value, revision)
	}
	if f.r.IntN(2) == 0 {
		return 0, errInjected
	}
	if _, err := f.bucket.Put(ctx, key, value, revision); err != nil {
		return 0, err
	}
	f.wrote = value
	return 0, errInjected
}

// list is a sink of events as numbers.
type list struct {
	t   testing.TB
	got []int
	cut int // full at so many; 0 is never
}

func (l *list) Reset() { l.got = l.got[:0] }

func (l *list) Add(e *store.Entry) bool {
	v, ok := e.Ref().Data("n")
	require.True(l.t, ok)
	l.got = append(l.got, int(v.Int()))
	return l.cut > 0 && len(l.got) >= l.cut
}

// Histories made at random, with faults, restarts and time that runs out, go as the model
// says: on one store, and on two that share a stream.
func TestHistories(t *testing.T) {
	for _, shared := range []bool{false, true} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("shared=%v/%d", shared, seed), func(t *testing.T) { history(t, shared, seed) })
		}
	}
}

func history(t *testing.T, shared bool, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	now := time.Now().UTC()
	stores := openStores(t, shared)
	faults := make([]*faulty, len(stores))
	consumers := make([]*Consumers, len(stores))
	restart := func(i int) {
		if consumers[i] != nil {
			consumers[i].Close()
		}
		consumers[i] = New(stores[i])
		faults[i] = &faulty{bucket: stores[i].Records(), r: r, fail: true}
		consumers[i].states, consumers[i].now = faults[i], func() time.Time { return now }
	}
	for i := range stores {
		restart(i)
	}
	t.Cleanup(func() {
		for _, c := range consumers {
			c.Close()
		}
	})

	m := &model{d: DefaultDefinition(), ackWait: 10 * time.Second}
	m.d.AckWait, m.d.MaxInFlight, m.d.MaxDeliver = "10s", 20+r.IntN(30), r.IntN(4)
	faults[0].fail = false
	_, err := consumers[0].Put(t.Context(), "c", m.d)
	require.NoError(t, err)
	faults[0].fail = true

	cursors := []store.Cursor{} // of the events, by number
	var leases []string
	batches := map[string][]int{}

	for range 400 {
		i := r.IntN(len(stores))
		c, f := consumers[i], faults[i]
		f.wrote = nil
		switch op := r.IntN(20); {
		case op < 3:
			n := 1 + r.IntN(8)
			require.NoError(t, stores[i].Append(t.Context(), numbered(t, m.events, n)))
			m.events += n
			for _, s := range stores { // all have seen it
				require.Eventually(t, func() bool { return s.Stats(t.Context()).Events == uint64(m.events) }, 10*time.Second, time.Millisecond)
			}
			page, err := stores[0].Read(t.Context(), store.Query{Limit: 10_000})
			require.NoError(t, err)
			cursors = cursors[:0]
			for _, e := range page.Entries {
				cursors = append(cursors, e.Cursor)
			}
		case op < 11:
			limit, ackNow := 1+r.IntN(10), r.IntN(8) == 0
			before := m.clone()
			want := m.fetch(now, limit, ackNow)
			sink := &list{t: t}
			got, err := c.Fetch(t.Context(), "c", Fetch{Limit: limit, AckNow: ackNow, To: sink})
			if err != nil {
				require.ErrorIs(t, err, errInjected)
				if f.wrote == nil { // nothing happened
					m = before
					continue
				}
				if len(want.events) > 0 && !ackNow { // nobody knows of the lease, so it runs out
					s, err := decode(f.wrote)
					require.NoError(t, err)
					m.handedOut(want, s.Spans[len(s.Spans)-1].Lease, now)
				}
				continue
			}
			require.True(t, slices.Equal(want.events, sink.got), "want %v, got %v", want.events, sink.got)
			require.Equal(t, len(want.events), got.Events)
			for _, s := range before.spans { // what a worker has now, nobody else gets
				if s.lease != "" && s.due.After(now) {
					for _, e := range sink.got {
						require.NotContains(t, s.events, e)
					}
				}
			}
			if got.Events == 0 {
				require.Empty(t, got.Lease)
				continue
			}
			require.Equal(t, want.deliveries, got.Deliveries)
			require.Equal(t, ackNow, got.Lease == "")
			if !ackNow {
				m.handedOut(want, got.Lease, now)
				leases = append(leases, got.Lease)
				batches[got.Lease] = slices.Clone(sink.got)
			}
		case op < 16 && len(leases) > 0:
			lease := leases[max(0, len(leases)-1-r.IntN(6))]
			var failed []int
			var places []store.Cursor
			for _, e := range batches[lease] {
				if r.IntN(4) == 0 {
					failed = append(failed, e)
					places = append(places, cursors[e])
				}
			}
			delay := time.Duration(r.IntN(5)) * time.Second
			before := m.clone()
			want, wantErr := m.ack(now, lease, failed, delay)
			got, err := c.Ack(t.Context(), "c", Ack{Lease: lease, Failed: places, Delay: delay})
			if errors.Is(err, errInjected) {
				if f.wrote == nil {
					m = before
				}
				continue
			}
			require.Equal(t, wantErr, err)
			require.Equal(t, want, got)
		case op == 16 && len(leases) > 0:
			lease := leases[max(0, len(leases)-1-r.IntN(4))]
			at := slices.IndexFunc(m.spans, func(s modelSpan) bool { return s.lease == lease })
			_, err := c.Extend(t.Context(), "c", lease)
			if at < 0 {
				require.ErrorIs(t, err, ErrLeaseLost)
			} else if err == nil || f.wrote != nil {
				m.spans[at].due = now.Add(m.ackWait)
			}
		case op == 17:
			restart(i)
		case op == 18 && r.IntN(12) == 0 && m.events > 0:
			to := r.IntN(m.events)
			if err := c.Seek(t.Context(), "c", cursors[to].String()); err == nil || f.wrote != nil {
				m.seek(to)
			}
		default:
			now = now.Add(time.Duration(r.IntN(6)) * time.Second)
		}
	}

	// In the end everything is done or dead, and nothing is lost.
	for _, f := range faults {
		f.fail = false
	}
	now = now.Add(time.Minute)
	for {
		want := m.fetch(now, 7, true)
		sink := &list{t: t}
		_, err := consumers[0].Fetch(t.Context(), "c", Fetch{Limit: 7, AckNow: true, To: sink})
		require.NoError(t, err)
		require.Len(t, sink.got, len(want.events))
		if len(sink.got) == 0 {
			break
		}
		require.Equal(t, want.events, sink.got)
	}
	raw, _, err := stores[0].Records().Get(t.Context(), "c")
	require.NoError(t, err)
	s, err := decode(raw)
	require.NoError(t, err)
	require.Empty(t, s.Spans)
	var dead []int
	for _, d := range s.Dead {
		dead = append(dead, slices.Index(cursors, d.Cursor))
	}
	require.Equal(t, m.dead, dead)
	for e := range m.events {
		require.True(t, slices.Contains(m.done, e) || slices.Contains(m.dead, e) || slices.Contains(m.skipped, e), "event %d is lost", e)
	}
}
