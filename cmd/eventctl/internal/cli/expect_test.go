package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExpect(t *testing.T) {
	s := newSystem(t)
	p := start(t.Context(), s.api, "", "", "expect", "--event-type", "user.login", "--count", "3", "--timeout", "20s", "--json")
	for range 4 {
		require.Zero(t, s.run(t, "emit", "user.login", "--source", "shop").code)
		require.Zero(t, s.run(t, "emit", "user.logout", "--source", "shop").code)
	}
	r := p.wait(t)
	assert.Zero(t, r.code, r.err)
	assert.Len(t, events(t, r.out), 3)
	assert.Zero(t, s.run(t, "expect", "--event-type", "user.*", "--count", "8", "--timeout", "20s").code, "what is there counts")

	r = s.run(t, "expect", "--event-type", "user.login", "--source", "shop", "--since", "1h", "--count", "5", "--timeout", "300ms")
	assert.Equal(t, 1, r.code)
	assert.Regexp(t, `^eventctl: expected 5 events with event_type=user.login since=\S+ source=shop within 300ms, but 4 came
  what came in all:
    EVENTS  EVENT_TYPE   SOURCE
         4  user.login   shop
         4  user.logout  shop
  the nearest:
    \S+ +user.logout +shop
      but event_type is user.logout
`, r.err)

	r = s.run(t, "expect", "--event-type", "user.login", "--from", "now", "--timeout", "200ms")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "0 came\n  nothing came at all: ")
	g := newGate(t, s.api)
	p = start(t.Context(), g.url, "", "", "expect", "--event-type", "user.*", "--from", "now", "--timeout", "20s")
	require.Eventually(t, func() bool { return g.asked() > 1 }, 20*time.Second, time.Millisecond) // it knows what now is
	require.Zero(t, s.run(t, "emit", "user.later").code)
	r = p.wait(t)
	assert.Zero(t, r.code, r.err)
	assert.Contains(t, r.out, "user.later")
}

func TestExpectNone(t *testing.T) {
	s := newSystem(t)
	require.Zero(t, s.run(t, "emit", "user.login").code)
	assert.Zero(t, s.run(t, "expect", "--event-type", "alert.*", "--count", "0", "--timeout", "200ms").code)
	r := s.run(t, "expect", "--event-type", "user.*", "--count", "0", "--timeout", "20s")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "user.login")
	assert.Contains(t, r.err, "expected no events with event_type=user.*, but 1 came")
}

// A store that is still starting is waited for; one that never answers is no failed expectation.
func TestExpectWithoutAnswer(t *testing.T) {
	s := newSystem(t)
	r := run(t, "127.0.0.1:1", "", "", "expect", "--timeout", "200ms")
	assert.Equal(t, 3, r.code)
	assert.Contains(t, r.err, "no answer from http://127.0.0.1:1")

	g := newGate(t, s.api)
	g.allow(0)
	require.Zero(t, s.run(t, "emit", "user.login").code)
	p := start(t.Context(), g.url, "", "", "expect", "--event-type", "user.login", "--timeout", "20s")
	require.Eventually(t, func() bool { return g.asked() > 1 }, 20*time.Second, time.Millisecond)
	g.allow(all)
	assert.Zero(t, p.wait(t).code)
}

func TestExpectLooksOnce(t *testing.T) {
	s := newSystem(t)
	for _, args := range [][]string{
		{"backup.done", "--event-id", "old", "--timestamp", "25h", "host=db-1"}, {"backup.done", "--event-id", "new", "--timestamp", "1h", "host=db-2", `{"job": {"name": "nightly"}}`},
	} {
		require.Zero(t, s.run(t, append([]string{"emit", "--source", "cron"}, args...)...).code)
	}
	expect := func(args ...string) result { return s.run(t, append([]string{"expect", "--timeout", "0"}, args...)...) }
	r := expect("--event-type", "backup.done", "--since", "24h", "--json")
	assert.Zero(t, r.code, r.err)
	assert.Equal(t, []string{"new"}, ids(t, r.out))
	r = expect("--event-type", "backup.done", "--since", "24h", "--data", "host=db-1", "--data", "job.name=nightly")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "but 0 came\n  what came in all:\n    EVENTS  EVENT_TYPE   SOURCE\n         1  backup.done  cron\n  the nearest:")
	assert.Contains(t, r.err, "      but data.host is db-2\n", "the rest is as it should be")

	assert.Zero(t, expect("--event-type", "alert.*", "--absent").code)
	r = expect("--event-type", "backup.*", "--absent")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "expected no events with event_type=backup.*, but 1 came")
	assert.Equal(t, 2, expect("--absent", "--count", "2").code)
	assert.Equal(t, 3, run(t, "127.0.0.1:1", "", "", "expect", "--absent", "--timeout", "0").code, "no answer is no absence")
	r = expect("--event-type", "backup.done", "--count", "3")
	assert.Contains(t, r.err, "expected 3 events with event_type=backup.done, but 2 came")
}
