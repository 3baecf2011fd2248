package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
)

// filterFlags are the flags that choose events, the same in every command that does.
type filterFlags struct {
	filter client.Filter
	data   []string
}

func (a *app) addFilter(cmd *cobra.Command) *filterFlags {
	f := &filterFlags{}
	flags := cmd.Flags()
	flags.StringSliceVarP(&f.filter.EventTypes, "event-type", "e", nil, "pattern of event types, such as user.* or user.login; repeatable")
	flags.StringSliceVarP(&f.filter.Sources, "source", "s", nil, "pattern of sources; repeatable")
	flags.StringVar(&f.filter.Since, "since", "", "earliest event time: RFC 3339, or a duration back from now such as 15m, 7d, 2w")
	flags.StringVar(&f.filter.Until, "until", "", "event time before which events lie, written as --since")
	flags.StringSliceVar(&f.filter.EventIDs, "event-id", nil, "event id; repeatable")
	flags.StringSliceVar(&f.filter.TraceIDs, "trace-id", nil, "trace id; repeatable")
	flags.StringArrayVarP(&f.data, "data", "d", nil, "key=value of the event's data; repeatable, and all must match")
	flags.StringVarP(&f.filter.Where, "where", "w", "", "condition in OTTL, such as 'attributes[\"status\"] >= 500'")
	_ = cmd.RegisterFlagCompletionFunc("event-type", a.completeEventTypes) // the flag is there
	_ = cmd.RegisterFlagCompletionFunc("source", a.completeSources)
	return f
}

// read returns the filter as it was written.
func (f *filterFlags) read() (client.Filter, error) {
	filter := f.filter
	for _, pair := range f.data {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return filter, usagef("--data is %q, but must be key=value", pair)
		}
		if filter.Data == nil {
			filter.Data = map[string]string{}
		}
		if _, twice := filter.Data[key]; twice {
			return filter, usagef("--data names %q twice, but an event has one value there", key)
		}
		filter.Data[key] = value
	}
	return filter, nil
}

// fixed returns the filter with times that stay where they are: reading goes on for a while, and
// after an interruption.
func (f *filterFlags) fixed() (client.Filter, error) {
	filter, err := f.read()
	now := time.Now()
	filter.Since, filter.Until = fixTime(filter.Since, now), fixTime(filter.Until, now)
	return filter, err
}

// fixTime makes a time of a duration back from now. What it does not know is left to the server,
// which says what is wrong.
func fixTime(s string, now time.Time) string {
	back, err := time.ParseDuration(s)
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		number, found := strings.CutSuffix(s, suffix)
		if n, bad := strconv.ParseUint(number, 10, 15); found && bad == nil {
			back, err = time.Duration(n)*unit, nil
		}
	}
	if err != nil || back < 0 || s == "0" {
		return s
	}
	return now.Add(-back).UTC().Format(time.RFC3339Nano)
}
