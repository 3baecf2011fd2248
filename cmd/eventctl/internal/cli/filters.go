package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/internal/filter"
)

// filterFlags are the flags that choose events, the same in every command that does.
type filterFlags struct {
	filter client.Filter
	data   []string
	names  []string // of the flags
}

// addFilter adds a flag for each parameter of a filter.
func (a *app) addFilter(cmd *cobra.Command) *filterFlags {
	f := &filterFlags{}
	flags := cmd.Flags()
	for _, p := range filter.Parameters {
		name := strings.ReplaceAll(p.Name, "_", "-")
		if list, text := p.List(&f.filter), p.Text(&f.filter); list != nil {
			flags.StringSliceVarP(list, name, p.Letter, nil, p.Description)
		} else if text != nil {
			flags.StringVarP(text, name, p.Letter, "", p.Description)
		} else {
			name = "data"
			flags.StringArrayVarP(&f.data, name, p.Letter, nil, "key=value of the event's data; repeatable, and all must match")
		}
		f.names = append(f.names, name)
		if p.Values != nil {
			complete(cmd, name, p.Values...)
		}
	}
	_ = cmd.RegisterFlagCompletionFunc("event-type", a.completeEventTypes) // the flag is there
	_ = cmd.RegisterFlagCompletionFunc("source", a.completeSources)
	return f
}

// read returns the filter as it was written.
func (f *filterFlags) read() (client.Filter, error) {
	chosen := f.filter
	for _, pair := range f.data {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return chosen, usagef("--data is %q, but must be key=value", pair)
		}
		if _, twice := chosen.Data[key]; twice {
			return chosen, usagef("--data names %q twice, but an event has one value there", key)
		}
		chosen.AddData(key, value)
	}
	return chosen, nil
}

// fixed returns the filter with times that stay where they are: reading goes on for a while, and
// after an interruption.
func (f *filterFlags) fixed() (client.Filter, error) {
	chosen, err := f.read()
	chosen.FixTimes(time.Now())
	return chosen, err
}
