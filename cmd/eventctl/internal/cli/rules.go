package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/internal/alert/rulefile"
)

func (a *app) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "Files of alert rules", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.rulesCheckCommand())
	return cmd
}

func (a *app) rulesCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Check files of alert rules",
		Long: `Checks files of alert rules in Prometheus's format, without a server: their YAML, expressions and templates. - is the standard input.
What Prometheus takes and events do not have is refused with a reason: recording rules.`,
		Example: `  eventctl rules check alerts/*.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			wrong := 0
			for _, file := range files {
				groups, err := readRules(file, cmd.InOrStdin())
				if err != nil {
					wrong++
					a.say("%v", err)
					continue
				}
				rules := 0
				for i := range groups {
					rules += len(groups[i].Rules)
				}
				fmt.Fprintf(a.out, "%s: %s in %s\n", file, plural(uint64(rules), "rule"), plural(uint64(len(groups)), "group"))
			}
			if wrong > 0 {
				return fmt.Errorf("%s of %d cannot be used", plural(uint64(wrong), "file"), len(files))
			}
			return nil
		},
	}
}

// readRules reads at most one byte more than a file may have.
func readRules(file string, stdin io.Reader) ([]rulefile.Group, error) {
	in, name := stdin, "standard input"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in, name = f, file
	}
	content, err := io.ReadAll(io.LimitReader(in, rulefile.MaxBytes+1))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s", name), err)
	}
	return rulefile.Parse(name, content)
}
