// Package cluster tests two collectors on three NATS servers, with live readers, during faults.
package cluster

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fault is what happens to the servers during a load.
type fault struct {
	name string
	// long are those that only CLUSTER=all has.
	long bool
	// wired are those that cut wires, and secured those of servers with a password.
	wired, secured bool
	// removes says that events go away on purpose, and that readers may notice.
	removes bool
	// bound is how long a sender may wait; zero where the servers have no quorum for a time.
	bound time.Duration
	do    func(t *testing.T, c *scene)
}

// scene is where a fault happens.
type scene struct {
	s  *servers
	js jetstream.JetStream
	l  *load
}

const (
	// elections is the bound where a leader goes away without a word, and planned where it is told
	// to go.
	elections = 7 * time.Second
	planned   = 2 * time.Second
	// reaction is how soon after an election that took longer senders go on.
	reaction = 4 * time.Second
)

var faults = []fault{
	{name: "none", bound: planned, do: func(*testing.T, *scene) {}},
	{name: "step-downs", bound: elections, do: func(t *testing.T, c *scene) {
		for range 3 {
			_, err := c.js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, nil, patience)
			require.NoError(t, err)
			c.l.goesOn(t)
		}
	}},
	{name: "kill -9 of the leader", bound: elections, do: killed(1, 0)},
	{name: "kill -9 of a follower", long: true, bound: elections, do: killed(0, 1)},
	{name: "kill -9 of two", long: true, do: killed(1, 1)},
	{name: "kill -9 of all", long: true, do: killed(1, 2)},
	{name: "disk of a follower wiped", bound: elections, do: wiped(false)},
	{name: "disk of the leader wiped", long: true, bound: elections, do: wiped(true)},
	{name: "SIGSTOP of the leader", long: true, bound: elections, do: held(true)},
	{name: "SIGSTOP of a follower", long: true, bound: elections, do: held(false)},
	{name: "leader cut from everybody", long: true, wired: true, bound: elections, do: cut(true, true)},
	{name: "leader cut from its peers", long: true, wired: true, bound: elections, do: cut(true, false)},
	{name: "follower cut from everybody", long: true, wired: true, bound: elections, do: cut(false, true)},
	{name: "follower cut from its peers", long: true, wired: true, bound: elections, do: cut(false, false)},
	{name: "rolling restart", long: true, bound: planned, do: func(t *testing.T, c *scene) {
		for _, ns := range c.s.list {
			c.s.roles(t, c.js, stream) // all are in step
			ns.end(syscall.SIGTERM)
			ns.start(t)
			c.l.goesOn(t)
		}
	}},
	{name: "lame duck", long: true, bound: planned, do: func(t *testing.T, c *scene) {
		leader, _ := c.s.roles(t, c.js, stream)
		leader.end(syscall.SIGUSR2)
		leader.start(t)
		c.l.goesOn(t)
	}},
	{name: "credentials changed", long: true, secured: true, do: func(t *testing.T, c *scene) {
		right := c.s.list[0].config.Password
		for _, password := range []string{"another", right} {
			for _, ns := range c.s.list {
				ns.end(syscall.SIGTERM)
				ns.config.Password = password
				ns.start(t)
			}
			if password != right {
				time.Sleep(5 * time.Second) // collectors try, and are refused
			}
		}
	}},
	{name: "stream edited", long: true, bound: planned, do: func(t *testing.T, c *scene) {
		config := c.config(t)
		config.MaxBytes, config.MaxAge = 80<<20, 24*time.Hour
		_, err := c.js.UpdateStream(t.Context(), config)
		require.NoError(t, err)
	}},
	{name: "stream purged", long: true, removes: true, bound: planned, do: func(t *testing.T, c *scene) {
		found, err := c.js.Stream(t.Context(), stream)
		require.NoError(t, err)
		require.NoError(t, found.Purge(t.Context()))
		c.l.era.Add(1)
	}},
	{name: "stream deleted and made anew", long: true, removes: true, do: func(t *testing.T, c *scene) {
		config := c.config(t)
		require.NoError(t, c.js.DeleteStream(t.Context(), stream))
		require.Eventually(t, func() bool {
			_, err := c.js.CreateStream(t.Context(), config)
			return err == nil
		}, patience, 50*time.Millisecond)
		c.l.era.Add(1)
	}},
	{name: "bit flipped at a follower", long: true, bound: elections, do: flipped(false)},
	{name: "bit flipped at the leader", long: true, bound: elections, do: flipped(true)},
}

// Every answered event reaches every reader once, whatever happens to the servers, and nothing is
// called lost.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("three servers for each fault")
	}
	all := os.Getenv("CLUSTER") == "all"
	if !all {
		t.Parallel()
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			if f.long && !all {
				t.Skip("with CLUSTER=all")
			}
			if !f.long && !all {
				t.Parallel()
			}
			f.run(t, all)
		})
	}
}

// run has a load before the fault, meanwhile, and afterwards.
func (f *fault) run(t *testing.T, timed bool) {
	var s *servers
	switch {
	case f.wired:
		s = startWired(t, 3)
	case f.secured:
		s = startServers(t, 3, "secret")
	default:
		s = startServers(t, 3, "")
	}
	c := &scene{s: s, l: startLoad(t, s), js: s.connect(t)}
	c.l.goesOn(t)
	s.roles(t, c.js, stream)
	f.do(t, c)
	c.l.goesOn(t)
	s.roles(t, c.js, stream)
	c.l.check(t, f.removes)
	p := c.l.pauses.longest
	t.Logf("| %s | %d | %d | %v |", f.name, c.l.stored(), c.l.worker.again, p)
	if timed && f.bound > 0 {
		assert.Less(t, p.took, max(f.bound, p.elected+reaction), "the longest pause")
	}
}

func (c *scene) config(t *testing.T) jetstream.StreamConfig {
	t.Helper()
	found, err := c.js.Stream(t.Context(), stream)
	require.NoError(t, err)
	return found.CachedInfo().Config
}

// one returns the leader, or a follower, when all are in step.
func (c *scene) one(t *testing.T, leader bool) *natsServer {
	t.Helper()
	l, followers := c.s.roles(t, c.js, stream)
	if leader {
		return l
	}
	return followers[0]
}

// killed kills servers, and starts them again when the others go on, if they can.
func killed(leaders, followers int) func(*testing.T, *scene) {
	return func(t *testing.T, c *scene) {
		leader, others := c.s.roles(t, c.js, stream)
		list := slices.Concat([]*natsServer{leader}[:leaders], others[:followers])
		for _, ns := range list {
			ns.end(syscall.SIGKILL)
		}
		if len(list) == 1 {
			c.l.goesOn(t)
		}
		for _, ns := range list {
			ns.start(t)
		}
	}
}

func wiped(leader bool) func(*testing.T, *scene) {
	return func(t *testing.T, c *scene) {
		ns := c.one(t, leader)
		ns.end(syscall.SIGKILL)
		ns.wipe(t)
		c.l.goesOn(t)
		ns.start(t)
	}
}

const awhile = 20 * time.Second

func held(leader bool) func(*testing.T, *scene) {
	return func(t *testing.T, c *scene) { c.one(t, leader).hold(awhile) }
}

func cut(leader, everybody bool) func(*testing.T, *scene) {
	return func(t *testing.T, c *scene) { c.one(t, leader).cut(awhile, everybody) }
}

// flipped flips a bit of an event that a server has on its disk. A store that is opened then reads
// all events from the servers.
func flipped(leader bool) func(*testing.T, *scene) {
	return func(t *testing.T, c *scene) {
		ns := c.one(t, leader)
		ns.end(syscall.SIGTERM)
		ns.flip(t)
		ns.start(t)
		c.l.goesOn(t)
		c.s.roles(t, c.js, stream)
		before := everything(t, c.l.stores[0])
		opened := everything(t, openStore(t, c.s))
		require.GreaterOrEqual(t, len(opened), len(before))
		require.Equal(t, before, opened[:len(before)], "what was there")
	}
}
