package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/isbl/telemetry/internal/text"
)

// guesses are names that people try, and the flags that they mean.
var guesses = map[string][]string{
	"type": {"event-type"}, "name": {"event-type"}, "events": {"event-type"}, "filter": {"where"}, "query": {"where", "text"}, "search": {"text"}, "words": {"text"}, "grep": {"text"}, "contains": {"text"}, "condition": {"where"},
	"level": {"severity", "min-severity"}, "id": {"event-id"}, "trace": {"trace-id"}, "from-time": {"since"}, "start": {"since"}, "end": {"until"},
	"server": {"endpoint"}, "url": {"endpoint"}, "host": {"endpoint"}, "address": {"endpoint"}, "api": {"endpoint"}, "otlp": {"otlp-endpoint"},
	"format": {"output"}, "json": {"output"}, "count": {"limit"}, "n": {"limit", "last"}, "max": {"limit"}, "follow": {"wait"}, "reverse": {"order"},
	"cacert": {"ca"}, "cafile": {"ca"}, "client-cert": {"cert"}, "client-key": {"key"}, "insecure": {"insecure-skip-verify"}, "time": {"timestamp"},
	"attribute": {"data"}, "field": {"data", "by"}, "group-by": {"by"},
}

// underscores takes --event_type for --event-type, as the API writes it.
func underscores(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
}

// wrongFlag adds the right word to the error of a flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var missing *pflag.NotExistError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &missing):
		if flag := meant(cmd, missing.GetSpecifiedName()); flag != "" {
			return usagef("%w: did you mean --%s?", err, flag)
		}
	case errors.As(err, &value) && value.GetFlag().Name == "limit" && value.GetValue() == "all" && cmd.Flags().Lookup("all") != nil:
		return usagef("%w: write --all for all events", err)
	}
	return &usageError{err}
}

// meant returns the flag of a command that a name that does not exist may mean, "" for none.
func meant(cmd *cobra.Command, name string) string {
	for _, flag := range guesses[name] {
		if cmd.Flags().Lookup(flag) != nil {
			return flag
		}
	}
	best, shortest := "", 3 // more changes make another word
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if d := text.Distance(name, f.Name); !f.Hidden && d < shortest {
			best, shortest = f.Name, d
		}
	})
	return best
}

// noArguments refuses arguments, and says how event types are chosen.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.Flags().Lookup("event-type") != nil {
		return usagef("%s takes no arguments: write --event-type %s to choose events by their type", cmd.CommandPath(), args[0])
	}
	return usagef("%s takes no arguments, but %q was given", cmd.CommandPath(), args[0])
}
