// Package manual writes the manual pages of a program from its commands and flags.
package manual

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/isbl/telemetry/internal/version"
)

// Command returns the hidden command `man DIRECTORY`, which writes one page for each command of the
// program. SOURCE_DATE_EPOCH sets the date in them, so that packages can be reproduced.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write the manual pages of all commands",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manual pages are for everybody
				return fmt.Errorf("create the directory of the manual pages: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			root.InitDefaultCompletionCmd()
			header := &doc.GenManHeader{
				Title: strings.ToUpper(root.Name()), Section: "1",
				Source: root.Name() + " " + version.Number, Manual: "ISBL Telemetry",
			}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write the manual pages: %w", err)
			}
			return nil
		},
	}
}
