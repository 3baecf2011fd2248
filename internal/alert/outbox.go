package alert

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store"
)

const (
	// deadAfter is how long a message is tried before it is given up.
	deadAfter = 24 * time.Hour
	// firstRetry and lastRetry bound the wait between two tries, which doubles.
	firstRetry = 5 * time.Second
	lastRetry  = time.Hour
	// maxOut is the number of messages of a group that wait; the oldest are given up first.
	maxOut = 2000
	// perTurn is the number of messages that are sent to one notifier before the others' outcome is
	// kept.
	perTurn = 16
)

// Message tells of an alert that began to fire, or that ended.
type Message struct {
	// ID is the same each time that the message is sent.
	ID string
	// Time is when it began to fire, or ended.
	Time  time.Time
	Group string
	Alert Alert
}

// ErrRefused in an error of a Notifier means that trying again does not help.
var ErrRefused = errors.New("the message is refused")

// Notifier takes messages. It is safe for concurrent use. An error means that the message is sent
// again later, unless it is an ErrRefused.
type Notifier interface {
	// Name identifies the notifier in records; it stays the same over restarts.
	Name() string
	// Kind is its kind in metrics.
	Kind() string
	Notify(ctx context.Context, m *Message) error
}

// outcome is what became of a delivery.
type outcome struct {
	id  string
	err error
}

// enqueue adds the messages of an alert that changed. Their ids follow from the alert: two
// collectors that both found the change, because one lost its connection, send messages of the same
// id.
func (g *group) enqueue(state *groupState, a Alert, now time.Time) {
	for _, n := range g.m.opts.Once {
		id := uuid.NewSHA1(uuid.NameSpaceOID, []byte(g.key+"\x00"+n.Name()+"\x00"+fingerprint(a.Labels)+"\x00"+string(a.State)+"\x00"+a.ActiveAt.Format(time.RFC3339Nano)))
		state.Out = append(state.Out, delivery{ID: id.String(), To: n.Name(), Alert: a, Since: now, Next: now})
	}
	for len(state.Out) > maxOut {
		g.give(&state.Out[0], reasonFull)
		state.Out = state.Out[1:]
	}
}

// give counts a message that is given up.
func (g *group) give(d *delivery, reason string) {
	kind := "unknown"
	if n := g.m.notifier(d.To); n != nil {
		kind = n.Kind()
	}
	g.m.opts.Observe.dropped(kind, reason, 1)
	g.m.opts.Logger.Error("a notification is given up", zap.String("group", g.Name), zap.String("to", d.To),
		zap.String("alert", d.Alert.Labels["alertname"]), zap.String("reason", reason), zap.Int("attempts", d.Attempts))
}

func (m *Manager) notifier(name string) Notifier {
	for _, n := range m.opts.Once {
		if n.Name() == name {
			return n
		}
	}
	return nil
}

// deliver sends the messages that are due, in a goroutine of its own, and returns when the next one
// is. Messages of one alert go to a notifier in order.
func (g *group) deliver(ctx context.Context, now time.Time) (next time.Time) {
	due := map[Notifier][]delivery{}
	blocked := map[string]bool{}
	for _, d := range g.state.Out {
		n := g.m.notifier(d.To)
		alert := d.To + "\x00" + fingerprint(d.Alert.Labels)
		switch {
		case n == nil || now.Sub(d.Since) >= deadAfter: // settle gives it up
			due[nil] = append(due[nil], d)
		case blocked[alert]:
		case d.Next.After(now):
			blocked[alert] = true
			if next.IsZero() || d.Next.Before(next) {
				next = d.Next
			}
		case len(due[n]) < perTurn:
			due[n] = append(due[n], d)
			blocked[alert] = true
		}
	}
	if len(due) == 0 {
		return next
	}
	done := make(chan []outcome, 1)
	g.sending = done
	g.m.wg.Go(func() {
		var mu sync.Mutex
		var all []outcome
		var wg sync.WaitGroup
		for n, messages := range due {
			wg.Go(func() {
				for i := range messages {
					err := g.notify(ctx, n, &messages[i])
					mu.Lock()
					all = append(all, outcome{messages[i].ID, err})
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		done <- all
	})
	return next
}

// errDead means that a message was tried long enough, or that its notifier is gone.
var errDead = errors.New("tried for a day")

func (g *group) notify(ctx context.Context, n Notifier, d *delivery) error {
	if n == nil {
		return errDead
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	at := d.Alert.FiredAt
	if d.Alert.State == Inactive {
		at = d.Alert.ResolvedAt
	}
	err := n.Notify(ctx, &Message{ID: d.ID, Time: at, Group: g.Name, Alert: d.Alert})
	if err != nil {
		g.m.opts.Observe.failed(n.Kind(), 1)
		g.m.opts.Logger.Warn("a notification did not arrive", zap.String("to", d.To), zap.Int("attempt", d.Attempts+1), zap.Error(err))
		return err
	}
	g.m.opts.Observe.sent(n.Kind(), 1)
	return nil
}

// settle keeps what became of messages.
func (g *group) settle(ctx context.Context, outcomes []outcome) {
	if g.state == nil || len(outcomes) == 0 {
		return // another collector goes on; it may send them again
	}
	results := make(map[string]error, len(outcomes))
	for _, o := range outcomes {
		results[o.id] = o.err
	}
	state := g.state.clone()
	state.Out = state.Out[:0]
	now := time.Now().UTC()
	for _, d := range g.state.Out {
		err, tried := results[d.ID]
		switch {
		case !tried:
			state.Out = append(state.Out, d)
		case err == nil:
		case errors.Is(err, ErrRefused):
			g.give(&d, reasonRefused)
		case errors.Is(err, errDead):
			g.give(&d, reasonDead)
		default:
			d.Attempts++
			d.Next = now.Add(min(lastRetry, firstRetry<<min(d.Attempts-1, 20)))
			state.Out = append(state.Out, d)
		}
	}
	err := g.write(ctx, state)
	if errors.Is(err, store.ErrConflict) {
		g.state = nil // another collector goes on
	}
	if err != nil {
		g.m.opts.Logger.Warn("the state of notifications is not kept: they may be sent again", zap.String("group", g.Name), zap.Error(err))
	}
}
