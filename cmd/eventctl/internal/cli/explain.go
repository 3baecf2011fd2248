package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
	"github.com/isbl/telemetry/internal/column"
	"github.com/isbl/telemetry/internal/eventtype"
)

const (
	// maxInstead bounds what expect reads to say what came instead: the newest events. maxTypes is
	// how many types of them are named, and maxNear how many of the nearest are shown.
	maxInstead, maxTypes, maxNear = 10_000, 20, 3
)

// explain is the error that says what was expected, and what came instead.
func (e *expectation) explain(ctx context.Context) error {
	var b strings.Builder
	if e.count == 0 {
		fmt.Fprintf(&b, "expected no events%s, but %d came", e.selected(), e.came)
		return errors.New(b.String())
	}
	fmt.Fprintf(&b, "expected %s%s%s, but %d came", plural(uint64(e.count), "event"), e.selected(), e.within(), e.came)
	events, more, err := e.instead(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%s; what came instead cannot be read: %w", &b, err)
	case len(events) == 0:
		b.WriteString("\n  nothing came at all: is the right collector asked, and do events reach it?")
		return errors.New(b.String())
	}
	e.writeTypes(&b, events)
	if more {
		fmt.Fprintf(&b, "\n    (of the newest %d events)", len(events))
	}
	e.writeNearest(&b, events)
	return errors.New(b.String())
}

func (e *expectation) within() string {
	if e.timeout == 0 {
		return ""
	}
	return fmt.Sprintf(" within %v", e.timeout)
}

// instead reads the newest events since the place and the time that were asked for, the newest
// first.
func (e *expectation) instead(ctx context.Context) (events []client.Event, more bool, err error) {
	q := client.Query{Filter: client.Filter{Since: e.filter.Since, Until: e.filter.Until}, Limit: maxInstead}
	if e.from != "start" {
		q.From = e.from // in order of arrival, so that the newest are the last
	} else {
		q.Descending = true
	}
	page, err := e.app.client.Events(ctx, q)
	if err != nil {
		return nil, false, err
	}
	if !q.Descending {
		slices.Reverse(page.Events)
	}
	return page.Events, page.More, nil
}

func (e *expectation) writeTypes(b *strings.Builder, events []client.Event) {
	type group struct{ eventType, source string }
	groups := map[group]int{}
	for i := range events {
		groups[group{events[i].EventType, events[i].Source}]++
	}
	b.WriteString("\n  what came in all:\n")
	table := show.NewTable(">events", "event_type", "source")
	names := slices.SortedFunc(maps.Keys(groups), func(x, y group) int {
		return cmp.Or(cmp.Compare(groups[y], groups[x]), cmp.Compare(x.eventType, y.eventType), cmp.Compare(x.source, y.source))
	})
	for _, g := range names[:min(maxTypes, len(names))] {
		table.Row(groups[g], g.eventType, g.source)
	}
	var text strings.Builder
	_ = table.Write(&text, show.NewStyle(false)) // into memory
	b.WriteString("    " + strings.ReplaceAll(strings.TrimRight(text.String(), "\n"), "\n", "\n    "))
	if more := len(names) - maxTypes; more > 0 {
		fmt.Fprintf(b, "\n    and %d more", more)
	}
}

// writeNearest shows the events that have most of what was asked for, and what they lack.
func (e *expectation) writeNearest(b *strings.Builder, events []client.Event) {
	type near struct {
		event *client.Event
		lacks []string
	}
	var nearest []near
	for i := range events {
		has, lacks := e.compare(&events[i])
		if has > 0 && len(lacks) > 0 {
			nearest = append(nearest, near{&events[i], lacks})
		}
	}
	if len(nearest) == 0 {
		return
	}
	slices.SortStableFunc(nearest, func(x, y near) int { return cmp.Compare(len(x.lacks), len(y.lacks)) })
	b.WriteString("\n  the nearest:")
	plain := show.NewStyle(false)
	plain.Zone = e.app.style.Zone
	for _, n := range nearest[:min(maxNear, len(nearest))] {
		fmt.Fprintf(b, "\n    %s\n      but %s", plain.Event(&n.event.Event), strings.Join(n.lacks, ", "))
	}
}

// compare returns how many parts of the filter an event has, and the others. Conditions are left to
// the server.
func (e *expectation) compare(event *client.Event) (has int, lacks []string) {
	part := func(name string, wanted []string, is string) {
		switch {
		case len(wanted) == 0:
		case slices.ContainsFunc(wanted, func(w string) bool { return covers(w, is) }):
			has++
		default:
			lacks = append(lacks, fmt.Sprintf("%s is %s", name, show.Text(is)))
		}
	}
	part("event_type", e.filter.EventTypes, event.EventType)
	part("source", e.filter.Sources, event.Source)
	part("event_id", e.filter.EventIDs, event.EventID)
	for _, path := range slices.Sorted(maps.Keys(e.filter.Data)) {
		value, there := column.Find(event.Data, path)
		if !there {
			lacks = append(lacks, "data."+path+" is missing")
			continue
		}
		part("data."+path, e.filter.Data[path], fmt.Sprint(value))
	}
	return has, lacks
}

// covers says whether a pattern covers a name; what is no pattern is one.
func covers(pattern, name string) bool {
	p, err := eventtype.ParsePattern(pattern)
	return err == nil && p.Matches(name)
}

// selected repeats the filter in words.
func (e *expectation) selected() string {
	values := e.filter.Values()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, name+"="+strings.Join(values[name], ","))
	}
	if len(parts) == 0 {
		return ""
	}
	return " with " + strings.Join(parts, " ")
}
