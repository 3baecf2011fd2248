package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/klauspost/compress/s2"
)

// State of an alert.
type State string

// The states of an alert. An inactive one was firing: it is kept for resolvedRetention, so that
// its end is told more than once.
const (
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
)

// resolvedRetention is how long the end of an alert is told again, as Prometheus does.
const resolvedRetention = 15 * time.Minute

// Alert is one alert of a rule: there is one for each set of labels.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	State       State             `json:"state"`
	// Value is that of the last evaluation in which the expression held.
	Value Number `json:"value"`
	// ActiveAt is when the expression began to hold.
	ActiveAt   time.Time `json:"active_at"`
	FiredAt    time.Time `json:"fired_at,omitzero"`
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
	// KeepFiringSince is when the expression ceased to hold, while keep_firing_for runs.
	KeepFiringSince time.Time `json:"keep_firing_since,omitzero"`

	sent time.Time // when Alertmanagers were told last; zero after a start, so they are told again
}

// Number is a float whose JSON is a string, which can be NaN and infinite too.
type Number float64

// MarshalText writes the number as Prometheus does.
func (n Number) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(n), 'g', -1, 64), nil
}

// UnmarshalText reads what MarshalText wrote.
func (n *Number) UnmarshalText(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	*n = Number(f)
	return err
}

// delivery is a message that is to arrive once: it waits in the record of its group, which is
// written together with the change that it tells of.
type delivery struct {
	ID    string    `json:"id"`
	To    string    `json:"to"`
	Alert Alert     `json:"alert"`
	Since time.Time `json:"since"`
	Next  time.Time `json:"next"`
	// Attempts is the number of failed ones.
	Attempts int `json:"attempts,omitempty"`
}

// groupState is the record of a group.
type groupState struct {
	// Watched is since when the group is evaluated.
	Watched time.Time `json:"watched"`
	// Alerts are by rule and fingerprint.
	Alerts map[string]map[string]Alert `json:"alerts,omitempty"`
	Out    []delivery                  `json:"out,omitempty"`
}

func (s *groupState) clone() *groupState {
	out := &groupState{Watched: s.Watched, Out: slices.Clone(s.Out), Alerts: make(map[string]map[string]Alert, len(s.Alerts))}
	for rule, alerts := range s.Alerts {
		out.Alerts[rule] = maps.Clone(alerts)
	}
	return out
}

// encode returns the record; equal states have equal records.
func (s *groupState) encode() ([]byte, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return s2.EncodeSnappy(nil, raw), nil
}

func decodeState(record []byte) (*groupState, error) {
	raw, err := s2.Decode(nil, record)
	if err != nil {
		return nil, err
	}
	s := &groupState{Alerts: map[string]map[string]Alert{}}
	return s, json.Unmarshal(raw, s)
}

// fingerprint identifies a set of labels.
func fingerprint(labels map[string]string) string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(hash, "%d:%s=%d:%s,", len(name), name, len(labels[name]), labels[name])
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}
