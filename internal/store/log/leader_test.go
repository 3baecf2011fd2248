package log

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Nothing is gone on the word of one server: not of a new leader, which may be behind, nor of one
// that was deposed.
func TestOnlyALeaderThatRepeatsItselfIsBelieved(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	made := start.Add(-time.Hour)
	s := &stream{made: made, seen: 10, doubts: map[uint64]doubt{}}
	says := func(leader string, created time.Time, last uint64, replicas int) *jetstream.StreamInfo {
		return &jetstream.StreamInfo{
			Created: created, Config: jetstream.StreamConfig{Replicas: replicas},
			Cluster: &jetstream.ClusterInfo{Leader: leader}, State: jetstream.StreamState{FirstSeq: 1, LastSeq: last, Msgs: last},
		}
	}
	last := func(info *jetstream.StreamInfo, after time.Duration) uint64 {
		state, err := s.believed(stateOf(info), info, s.seen, start.Add(after))
		require.NoError(t, err)
		return state.Last
	}
	assert.EqualValues(t, 12, last(says("a", made, 12, 3), 0))
	assert.EqualValues(t, 12, last(says("b", made, 8, 3), time.Second), "a new leader may be behind")
	assert.EqualValues(t, 12, last(says("c", made, 8, 3), 12*time.Second), "another leader begins anew")
	assert.EqualValues(t, 12, last(says("c", made, 8, 3), 20*time.Second), "an election may be under way")
	assert.EqualValues(t, 13, last(says("c", made, 13, 3), 21*time.Second), "it was behind")
	assert.EqualValues(t, 13, last(says("c", made, 8, 3), 22*time.Second))
	assert.EqualValues(t, 8, last(says("c", made, 8, 3), 33*time.Second), "it says so again")
	assert.EqualValues(t, 5, last(says("c", made, 5, 1), 34*time.Second), "there is no other copy")

	anew := says("c", start, 3, 3)
	_, err := s.believed(stateOf(anew), anew, s.seen, start.Add(40*time.Second))
	require.ErrorIs(t, err, ErrUncertain)
	state, err := s.believed(stateOf(anew), anew, s.seen, start.Add(51*time.Second))
	require.NoError(t, err)
	assert.Equal(t, start, state.Created)
	assert.EqualValues(t, 3, state.Last)
}
