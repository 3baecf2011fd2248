// Package cluster tests two collectors on three NATS servers, with live readers, during faults.
package cluster

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// fault is what happens to the servers during a load.
type fault struct {
	name string
	// long are those that only CLUSTER=all has.
	long bool
	do   func(t *testing.T, s *servers, js jetstream.JetStream, l *load)
}

var faults = []fault{
	{"none", false, func(*testing.T, *servers, jetstream.JetStream, *load) {}},
	{"step-downs", false, func(t *testing.T, _ *servers, js jetstream.JetStream, l *load) {
		for range 3 {
			_, err := js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, nil, patience)
			require.NoError(t, err)
			l.goesOn(t)
		}
	}},
	{"kill -9 of the leader", false, killed(func(leader *natsServer, _ []*natsServer) []*natsServer { return []*natsServer{leader} })},
	{"kill -9 of a follower", true, killed(func(_ *natsServer, f []*natsServer) []*natsServer { return f[:1] })},
	{"kill -9 of two", true, killed(func(leader *natsServer, f []*natsServer) []*natsServer { return []*natsServer{leader, f[0]} })},
	{"kill -9 of all", true, killed(func(leader *natsServer, f []*natsServer) []*natsServer { return append(f, leader) })},
	{"disk of a follower wiped", false, wiped(func(_ *natsServer, f []*natsServer) *natsServer { return f[0] })},
	{"disk of the leader wiped", true, wiped(func(leader *natsServer, _ []*natsServer) *natsServer { return leader })},
	{"SIGSTOP of the leader", true, held(20*time.Second, func(leader *natsServer, _ []*natsServer) *natsServer { return leader })},
	{"SIGSTOP of a follower", true, held(20*time.Second, func(_ *natsServer, f []*natsServer) *natsServer { return f[0] })},
	{"rolling restart", true, func(t *testing.T, s *servers, js jetstream.JetStream, l *load) {
		for _, ns := range s.list {
			s.roles(t, js, stream) // all are in step
			ns.end(syscall.SIGTERM)
			ns.start(t)
			l.goesOn(t)
		}
	}},
	{"lame duck", true, func(t *testing.T, s *servers, js jetstream.JetStream, l *load) {
		leader, _ := s.roles(t, js, stream)
		leader.end(syscall.SIGUSR2)
		leader.start(t)
		l.goesOn(t)
	}},
}

// Every answered event reaches every reader once, whatever happens to the servers, and nothing is
// called lost.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("three servers for each fault")
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			if f.long && os.Getenv("CLUSTER") != "all" {
				t.Skip("with CLUSTER=all")
			}
			if !f.long {
				t.Parallel()
			}
			s := startServers(t, 3)
			l := startLoad(t, s, 3)
			js := s.connect(t)
			l.goesOn(t)
			s.roles(t, js, stream)
			f.do(t, s, js, l)
			l.goesOn(t)
			s.roles(t, js, stream)
			l.check(t)
		})
	}
}

// killed kills servers, and starts them again when the others go on, if they can.
func killed(which func(leader *natsServer, followers []*natsServer) []*natsServer) func(*testing.T, *servers, jetstream.JetStream, *load) {
	return func(t *testing.T, s *servers, js jetstream.JetStream, l *load) {
		list := which(s.roles(t, js, stream))
		for _, ns := range list {
			ns.end(syscall.SIGKILL)
		}
		if len(list) == 1 {
			l.goesOn(t)
		}
		for _, ns := range list {
			ns.start(t)
		}
	}
}

func wiped(which func(leader *natsServer, followers []*natsServer) *natsServer) func(*testing.T, *servers, jetstream.JetStream, *load) {
	return func(t *testing.T, s *servers, js jetstream.JetStream, l *load) {
		ns := which(s.roles(t, js, stream))
		ns.end(syscall.SIGKILL)
		ns.wipe(t)
		l.goesOn(t)
		ns.start(t)
	}
}

func held(d time.Duration, which func(leader *natsServer, followers []*natsServer) *natsServer) func(*testing.T, *servers, jetstream.JetStream, *load) {
	return func(t *testing.T, s *servers, js jetstream.JetStream, _ *load) {
		which(s.roles(t, js, stream)).hold(d)
	}
}
