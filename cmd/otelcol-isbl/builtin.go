package main

import (
	_ "embed"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// builtin is the configuration that runs when there is no --config: the repository's config.yaml,
// which `make generate` copies here since Go embeds no file from above.
//
//go:embed config.yaml
var builtin string

// useBuiltin sets --config of a command that has the flag, unless the command line did.
func useBuiltin(flags *pflag.FlagSet) error {
	config := flags.Lookup("config")
	if config == nil || config.Changed {
		return nil
	}
	return config.Value.Set("yaml:" + builtin) // pflag takes it for not set, and so do we
}

func configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the built-in configuration, to begin one of your own with",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), builtin)
			return err
		},
	}
}
