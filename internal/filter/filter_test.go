package filter

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A filter is the same in all its forms.
func TestForms(t *testing.T) {
	for name, spec := range map[string]Spec{
		"nothing": {},
		"everything": {
			EventTypes: Texts{"user.*", "a"}, Sources: Texts{"shop"}, Since: "15m", Until: "2026-01-02T03:04:05Z", MinSeverity: "error",
			EventIDs: Texts{"x"}, TraceIDs: Texts{strings.Repeat("1", 32)}, Data: map[string]Texts{"user.id": {"7"}, "a": {"b", "c,d"}}, Text: "card declin*", Where: `body == "a,b"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			query, err := url.ParseQuery(spec.Values().Encode())
			require.NoError(t, err)
			read, err := FromValues(query)
			require.NoError(t, err)
			assert.Equal(t, spec, read)
			for name := range query {
				assert.True(t, known(name), name)
			}

			written, err := json.Marshal(spec)
			require.NoError(t, err)
			var parsed Spec
			require.NoError(t, json.Unmarshal(written, &parsed))
			assert.Equal(t, spec, parsed)
		})
	}
}

func known(name string) bool {
	for _, p := range Parameters {
		if p.Is(name) {
			return true
		}
	}
	return false
}

// Each parameter has a field of its name, and each field a parameter.
func TestParametersAreTheFields(t *testing.T) {
	var fields, names []string
	spec := reflect.TypeFor[Spec]()
	for i := range spec.NumField() {
		tag, _, _ := strings.Cut(spec.Field(i).Tag.Get("json"), ",")
		fields = append(fields, tag)
	}
	for _, p := range Parameters {
		name, _, _ := strings.Cut(p.Name, ".")
		names = append(names, name)
		assert.NotEmpty(t, p.Description, p.Name)
		assert.Equal(t, p.IsData(), p.List(&Spec{}) == nil && p.Text(&Spec{}) == nil, p.Name)
	}
	assert.Equal(t, fields, names)
}

func TestTextsAreOneOrMany(t *testing.T) {
	var s Spec
	require.NoError(t, json.Unmarshal([]byte(`{"source": "a", "event_type": ["b", "c"], "data": {"x": "1"}}`), &s))
	assert.Equal(t, Spec{Sources: Texts{"a"}, EventTypes: Texts{"b", "c"}, Data: map[string]Texts{"x": {"1"}}}, s)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"source": 1}`), &s), "write a string, or a list of strings")
	assert.True(t, (&Spec{Sources: Texts{}, Data: map[string]Texts{}}).Equal(&Spec{}))
	assert.False(t, (&Spec{Sources: Texts{"a"}}).Equal(&Spec{}))
}

func TestValuesThatAreEmpty(t *testing.T) {
	for _, name := range []string{"since", "until", "min_severity", "text", "where"} {
		_, err := FromValues(url.Values{name: {""}})
		var wrong *Fault
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, name, wrong.Name)
	}
}

func TestFixTimes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := Spec{Since: "1d", Until: "2026-03-01T00:00:00Z"}
	s.FixTimes(now)
	assert.Equal(t, Spec{Since: "2026-02-28T12:00:00Z", Until: "2026-03-01T00:00:00Z"}, s)
	assert.Equal(t, "soon", FixTime("soon", now), "what is no duration stays")
}

func TestPointers(t *testing.T) {
	for name, want := range map[string]string{"where": "/where", "data.user.id": "/data/user.id", "data.a/b~c": "/data/a~1b~0c"} {
		assert.Equal(t, want, (&Fault{Name: name}).Pointer())
	}
}

func TestAddDataSharesNothing(t *testing.T) {
	var s Spec
	s.AddData("a", "1")
	other := s
	other.AddData("a", "2")
	assert.Equal(t, Spec{Data: map[string]Texts{"a": {"1"}}}, s)
	assert.Equal(t, Spec{Data: map[string]Texts{"a": {"1", "2"}}}, other)
}

// What a client sends as a query arrives as it was, whatever characters ids have.
func TestQueryRoundTrip(t *testing.T) {
	sent := Spec{
		EventIDs: Texts{"a,b", `c\`, `\,`, "*"}, EventTypes: Texts{`a\,b`, `c\*`, "d.*"}, Sources: Texts{"shop"},
	}
	got, err := FromValues(sent.Values())
	require.NoError(t, err)
	assert.Equal(t, sent, got)

	got, err = FromValues(url.Values{"event_id": {`a\,b,c`}, "event_type": {`a\,b,c.*`}})
	require.NoError(t, err)
	assert.Equal(t, Texts{"a,b", "c"}, got.EventIDs)
	assert.Equal(t, Texts{`a\,b`, "c.*"}, got.EventTypes)
}
