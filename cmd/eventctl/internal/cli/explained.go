package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
)

// addExplain adds the flag that asks for what an answer took.
func addExplain(cmd *cobra.Command, explain *bool) {
	cmd.Flags().BoolVar(explain, "explain", false, "tell what the answer took: blocks left out and opened, bytes read, time by step")
}

// explained tells what an answer took.
func (a *app) explained(e *client.Explanation) {
	if e == nil {
		return
	}
	b := &e.Blocks
	var fates []string
	for _, fate := range []struct {
		blocks uint64
		what   string
	}{
		{b.LeftOut.ByTime, "left out by time"},
		{b.LeftOut.ByType, "by type, source or severity"},
		{b.LeftOut.BySideIndex, "by the side index"},
		{b.CountedByIndex, "counted by the index"},
		{b.InMemory, "in memory"},
		{b.Opened, "opened"},
	} {
		if fate.blocks > 0 {
			fates = append(fates, fmt.Sprintf("%s %s", humanize.Comma(int64(fate.blocks)), fate.what))
		}
	}
	a.say("%s considered: %s", plural(b.Considered, "block"), strings.Join(fates, ", "))
	ms := &e.Milliseconds
	took := func(ms float64) time.Duration {
		return time.Duration(ms * float64(time.Millisecond)).Round(10 * time.Microsecond)
	}
	a.say("%s looked at, %s read; index %v, side index %v, read %v, open %v, match %v", plural(e.Events, "event"),
		humanize.IBytes(e.BytesRead), took(ms.Index), took(ms.SideIndex), took(ms.Read), took(ms.Open), took(ms.Match))
}
