// Eventctl reads, follows, counts, exports and sends the events of ISBL Telemetry. Run it with
// --help, or see docs/eventctl.md.
package main

import (
	"context"
	"os"

	"github.com/isbl/telemetry/cmd/eventctl/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
