package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/isbl/telemetry/client"
)

// writeStorage writes what bounds the store, and whether it takes events.
func (a *app) writeStorage(w io.Writer, st *client.StoreStats) {
	if st.Health.Status != "ok" && st.Health.Status != "" {
		fmt.Fprintf(w, "  %s\n", a.style.Bad(st.Health.Status+": "+st.Health.Detail))
	}
	r := &st.Retention
	var limits []string
	if r.MaxBytes > 0 {
		limits = append(limits, fmt.Sprintf("%s (%d %% used)", humanize.IBytes(r.MaxBytes), 100*st.Bytes/r.MaxBytes))
	}
	if r.MaxEvents > 0 {
		limits = append(limits, plural(r.MaxEvents, "event"))
	}
	if r.MaxAgeSeconds > 0 {
		limits = append(limits, (time.Duration(r.MaxAgeSeconds) * time.Second).String())
	}
	if len(limits) > 0 {
		fmt.Fprintf(w, "  keeps at most %s; when full: %s\n", strings.Join(limits, ", "), r.WhenFull)
	}
}

// writeSampling writes what a buffer removes, and what it does when it is full.
func writeSampling(w io.Writer, c *client.BufferConfiguration) {
	if c.Overflow == "" {
		return // an older server
	}
	fmt.Fprintf(w, "  overflow %s, ack %s", c.Overflow, c.Ack)
	if c.MaxWait != "" {
		fmt.Fprintf(w, ", max_wait %s", c.MaxWait)
	}
	if len(c.EventTypes) > 0 {
		fmt.Fprintf(w, ", event_types %s", strings.Join(c.EventTypes, " "))
	}
	if len(c.ExcludeEventTypes) > 0 {
		fmt.Fprintf(w, ", without %s", strings.Join(c.ExcludeEventTypes, " "))
	}
	fmt.Fprint(w, "\n  sampling")
	for _, r := range c.SamplingRates {
		name := r.EventType
		if r.MinSeverity != "" {
			name += " from " + r.MinSeverity
		}
		fmt.Fprintf(w, " %s %s,", name, rate(r.Rate))
	}
	if len(c.SamplingRates) > 0 {
		fmt.Fprint(w, " others")
	}
	fmt.Fprintf(w, " %s\n", rate(c.SamplingRate))
}

func rate(r float64) string { return strconv.FormatFloat(r, 'g', -1, 64) }
