// Package dimension has what events are grouped by: event type, category, source, severity, and
// values of the data.
package dimension

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/isbl/telemetry/internal/eventlog"
	"github.com/isbl/telemetry/internal/filter"
	"github.com/isbl/telemetry/internal/severity"
	"github.com/isbl/telemetry/internal/text"
)

// Names are the dimensions beside the fields of the data.
var Names = []string{"event_type", "category", "source", "severity"}

// Dimension is what events are grouped by. The zero Dimension puts all events into one group.
type Dimension struct {
	// Name is one of Names, or data. and a key.
	Name string

	path string // of data
	text func(eventlog.Ref) string
}

// Parse returns the dimension of a name.
func Parse(name string) (Dimension, error) {
	d := Dimension{Name: name}
	switch name {
	case "event_type":
		d.text = eventlog.Ref.EventType
	case "category":
		d.text = func(r eventlog.Ref) string { return Category(r.EventType()) }
	case "source":
		d.text = eventlog.Ref.Source
	case "severity":
		d.text = func(r eventlog.Ref) string { return severity.Number(r.Record.SeverityNumber()).Name() }
	default:
		var err error
		if d.path, err = filter.ParsePath(name); err != nil {
			return d, fmt.Errorf("%s must be event_type, category, source, severity, or data. and a key: %w", text.Quote(name), err)
		}
	}
	return d, nil
}

// Category is the category of an event type: its first segment.
func Category(eventType string) string {
	category, _, _ := strings.Cut(eventType, ".")
	return category
}

// IsData says whether d is a value of the data.
func (d *Dimension) IsData() bool { return d.path != "" }

// Value returns the value of d in an event's data.
func (d *Dimension) Value(r eventlog.Ref) (pcommon.Value, bool) { return r.Data(d.path) }

// Text returns the text of an event in a dimension that is not of the data.
func (d *Dimension) Text(r eventlog.Ref) string { return d.text(r) }

// MaxText is how many bytes of a text a Key has at most.
const MaxText = 256

// Kind tells apart keys that have no text of their own.
type Kind uint8

// Kinds of keys.
const (
	// Missing is the key of events without a value.
	Missing Kind = iota
	// Null is the key of events whose value is null.
	Null
	// Text is the key of all others.
	Text
)

// Key names a group of events. Keys are equal where the values are.
type Key struct {
	Kind Kind
	// Text is the value, or the first part of one longer than MaxText.
	Text string
	// Shortened says that Text is a part.
	Shortened bool

	hash uint64 // of the whole text, where it is shortened
}

var seed = maphash.MakeSeed()

// NewKey returns the key of a text; "" is a text too.
func NewKey(s string) Key {
	if len(s) <= MaxText {
		return Key{Kind: Text, Text: s}
	}
	return Key{Kind: Text, Text: text.Shorten(s, MaxText), Shortened: true, hash: maphash.String(seed, s)}
}

// Key returns the key of an event's group. It may be a part of the event: Clone what is kept.
func (d *Dimension) Key(r eventlog.Ref) Key {
	switch {
	case d.Name == "":
		return Key{}
	case d.IsData():
		v, ok := d.Value(r)
		switch {
		case !ok:
			return Key{Kind: Missing}
		case v.Type() == pcommon.ValueTypeEmpty:
			return Key{Kind: Null}
		}
		if scalar, ok := eventlog.ScalarText(v); ok {
			return NewKey(scalar)
		}
		return NewKey(v.AsString())
	}
	return d.KeyOf(d.text(r))
}

// KeyOf returns the key of a text in a dimension that is not of the data. Events without a severity
// have none.
func (d *Dimension) KeyOf(s string) Key {
	switch {
	case d.Name == "":
		return Key{}
	case s == "" && d.Name == "severity":
		return Key{Kind: Missing}
	}
	return NewKey(s)
}

// Clone returns a key that keeps nothing else in memory.
func (k Key) Clone() Key {
	k.Text = strings.Clone(k.Text)
	return k
}

// Compare orders keys: those without a text first.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Kind, other.Kind), cmp.Compare(k.Text, other.Text), cmp.Compare(k.hash, other.hash))
}
