package store

// gap notes that events went away unread. It returns false when the page has to end
// first, since a gap lies before all events of a page and has one reason.
func (r *reader) gap(reason string, blocks, events uint64, known bool) bool {
	g := r.page.Gap
	switch {
	case len(r.page.Entries) > 0, g != nil && g.Reason != reason:
		return false
	case g == nil:
		g = &Gap{Reason: reason, Events: new(uint64)}
		r.page.Gap = g
	}
	g.Blocks += blocks
	if g.Events != nil && known {
		*g.Events += events
	} else {
		g.Events = nil
	}
	return true
}

// skipEvicted moves a place that retention has overtaken to the oldest event kept and
// notes the gap. It returns false when the page has to end before the gap.
func (r *reader) skipEvicted(at place) (place, bool) {
	x := r.s.index
	first, _ := x.Bounds()
	if at.seq >= first {
		return at, true
	}
	last := first - 1
	if end := r.q.Before; !end.IsZero() && end.seq < first {
		last = end.seq
		if end.pos == 0 {
			last--
		}
	}
	events, known := x.Events(at.seq, last)
	events -= min(events, uint64(at.pos))
	reason := ReasonRetention
	if x.LostBefore(at.seq) {
		reason, known = ReasonDamage, false
	}
	if (!known || events > 0) && !r.gap(reason, last+1-at.seq, events, known) {
		return at, false
	}
	return place{seq: first}, true
}
