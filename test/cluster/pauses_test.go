package cluster

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// pauses are times in which a sender got no answer. An election of NATS begins 4 to 9 s after a
// leader went away without a word, and now and then nobody wins it: what comes after it is ours.
type pauses struct {
	mu        sync.Mutex
	elections []time.Time // when the stream got a leader
	longest   pause
}

type pause struct {
	took time.Duration
	// elected is how long after its begin the stream got the leader that answered; zero for none.
	elected time.Duration
}

func (p pause) String() string {
	if p.elected == 0 {
		return fmt.Sprintf("%.1f s", p.took.Seconds())
	}
	return fmt.Sprintf("%.1f s, a leader after %.1f s", p.took.Seconds(), p.elected.Seconds())
}

// watch asks every server for elections.
func (p *pauses) watch(t *testing.T, s *servers) {
	t.Helper()
	for _, url := range s.ownURLs() {
		nc, err := nats.Connect(url, nats.UserInfo(s.user(), s.list[0].config.Password), nats.MaxReconnects(-1),
			nats.ReconnectWait(50*time.Millisecond), nats.IgnoreDiscoveredServers(), nats.IgnoreAuthErrorAbort())
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		_, err = nc.Subscribe("$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED."+stream, func(*nats.Msg) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.elections = append(p.elections, time.Now())
		})
		require.NoError(t, err)
	}
}

func (p *pauses) note(from, to time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := pause{took: to.Sub(from)}
	if got.took <= p.longest.took {
		return
	}
	for _, at := range p.elections {
		if at.After(from) && at.Before(to) {
			got.elected = at.Sub(from)
		}
	}
	p.longest = got
}
