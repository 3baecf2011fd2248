package cli

import (
	"cmp"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
	"github.com/isbl/telemetry/internal/version"
)

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "The versions of eventctl and of the server",
		Long:  `The versions of eventctl and of the server. When the server does not answer, the exit code is 3.`,
		Args:  noArguments,
	}
	out := a.addOutput(cmd, &output{short: formJSON})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		// One is told whether the other answers or not.
		stats, failure := a.client.Stats(cmd.Context())
		versions := map[string]string{"eventctl": version.String()}
		table := show.NewTable("program", "version", "url")
		table.Row("eventctl", versions["eventctl"], "")
		if failure == nil {
			versions["server"] = cmp.Or(stats.Version, "unknown")
			table.Row("server", versions["server"], a.options.Endpoint)
		}
		answer, err := json.Marshal(versions)
		if err != nil {
			return err
		}
		return cmp.Or(out.document(answer, "", table), failure)
	}
	return cmd
}
