package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A consumer of a real store: a command that fails for good makes dead letters, which come again
// when they are returned.
func TestConsumerOfStore(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 25)
	r := s.run(t, "consumers", "create", "jobs", "--where", `attributes["number"] < 10`, "--max-deliver", "2")
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.out, "lag        25 events")
	assert.Equal(t, 1, s.run(t, "consumers", "create", "jobs", "--source", "till").code, "it means something else")

	r = s.run(t, "consume", "jobs", "--once", "--delay", "0s", "--exec", "exit 1")
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.err, "delivery 1: 10 events returned, 0 of them for good")
	assert.Equal(t, 10, strings.Count(r.err, "delivery 2: 1 event returned, 1 of them for good"), "they come again one by one")
	r = s.run(t, "consumers", "dead-letters", "list", "jobs", "--limit", "4", "--json")
	require.Zero(t, r.code, r.err)
	assert.Equal(t, 4, strings.Count(r.out, "\n"))
	assert.Contains(t, r.err, "there are 10: go on with --skip 4")
	var letter struct{ Cursor string }
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(r.out, "\n", 2)[0]), &letter))
	assert.Contains(t, s.run(t, "consumers", "dead-letters", "list", "jobs", "--skip", "9").out, "number=9")

	assert.Contains(t, s.run(t, "consumers", "dead-letters", "drop", "jobs", letter.Cursor).err, "1 dead letter dropped")
	assert.Contains(t, s.run(t, "consumers", "dead-letters", "return", "jobs", "--all").err, "9 dead letters returned")
	file := filepath.Join(t.TempDir(), "out")
	r = s.run(t, "consume", "jobs", "--once", "--exec", "cat >> "+file)
	require.Zero(t, r.code, r.err)
	out, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.ElementsMatch(t, numbers(1, 10), ids(t, string(out)))

	assert.Contains(t, s.run(t, "consumers", "seek", "jobs", "start").out, "lag        25 events")
	assert.Contains(t, s.run(t, "consumers", "list").out, "jobs")
	require.Zero(t, s.run(t, "consumers", "delete", "jobs").code)
	assert.NotContains(t, s.run(t, "consumers", "list").out, "jobs")
}

// Whatever reads events asks the same questions, and says for how many events a condition had no
// answer.
func TestQuestionsToStore(t *testing.T) {
	s := newSystem(t)
	s.store(t, 0, 20)
	const noAnswer = "the condition has no answer for some events, 20 so far"
	wrong := []string{"--where", `Duration(attributes["number"]) != nil`}
	for _, command := range [][]string{
		{"get", "--all"},
		{"counts"},
		{"aggregate", "--field", "data.number"},
		{"export", "-", "--format", "ndjson"},
		{"expect", "--count", "0", "--timeout", "100ms"},
	} {
		r := s.run(t, append(command, wrong...)...)
		assert.Zero(t, r.code, r.err)
		assert.Equal(t, 1, strings.Count(r.err, noAnswer), "%s: %s", command, r.err)
	}
	p := start(t.Context(), s.api, "", "", append([]string{"tail", "--from", "start"}, wrong...)...)
	p.prints(t, noAnswer)
	p.interrupt(t)
	require.Zero(t, s.run(t, append([]string{"consumers", "create", "c"}, wrong...)...).code)
	assert.Contains(t, s.run(t, "consume", "c", "--once", "--exec", "cat").err, noAnswer)

	assert.Equal(t, numbers(3, 4), ids(t, s.run(t, "get", "--json", "--data", "number=3").out))
	assert.Equal(t, numbers(18, 20), ids(t, s.run(t, "get", "--json", "--where", `log.attributes["number"] > 17`).out))
	assert.Equal(t, numbers(5, 7), ids(t, s.run(t, "get", "--json", "--event-id", "5,6").out))
	r := s.run(t, "get", "--where", `attributes["number"] >`)
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "eventctl: where: condition has invalid syntax at 1:23")

	r = s.run(t, "aggregate", "--field", "data.number", "--functions", "count,avg,max", "--by", "source", "--where", `attributes["number"] < 4`)
	require.Zero(t, r.code, r.err)
	assert.Equal(t, []string{"SOURCE", "COUNT", "AVG", "MAX", "shop", "4", "1.5", "3"}, strings.Fields(r.out))
}
