package main

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/isbl/telemetry/internal/version"
)

// The variables by which a configuration takes what the flags say; config.yaml has them.
const (
	dataVariable   = "ISBL_DATA"
	listenVariable = "ISBL_LISTEN"
)

// startFlags are the flags for what people change of the built-in configuration first.
type startFlags struct {
	data, listen, memory string
	insecure             bool
}

func (f *startFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.data, "data", cmp.Or(os.Getenv(dataVariable), "./data"),
		"`directory` of the events, in the built-in configuration ($"+dataVariable+")")
	flags.StringVar(&f.listen, "listen", cmp.Or(os.Getenv(listenVariable), "localhost"),
		"`address` that all ports listen on, in the built-in configuration; one that others can reach needs --insecure ($"+listenVariable+")")
	flags.BoolVar(&f.insecure, "insecure", false,
		"let everybody who reaches the ports send and read events, without TLS and without a token")
	flags.StringVar(&f.memory, "memory", "",
		"what the process may take, such as 512MiB (by default nine tenths of the container or machine, or as GOMEMLIMIT says)")
}

// apply checks the flags and does what they say, before anything of the Collector is created.
func (f *startFlags) apply(cmd *cobra.Command) error {
	own := cmd.Flags().Changed("config")
	if own {
		for _, name := range []string{"data", "listen", "insecure"} {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s is for the built-in configuration: with --config, write it into that file", name)
			}
		}
	} else if !f.insecure && !isLoopback(f.listen) {
		return fmt.Errorf("everybody who reaches %s could send and read events, since the built-in configuration has neither TLS nor tokens: "+
			"write a configuration that has (otelcol-isbl config > config.yaml), or add --insecure where you trust the network", f.listen)
	}
	if err := limitMemory(f.memory); err != nil {
		return err
	}
	if own {
		return nil
	}
	host := f.listen
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]" // IPv6, which has a port behind it in the configuration
	}
	for name, value := range map[string]string{dataVariable: f.data, listenVariable: host} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s to %q: %w", name, value, err)
		}
	}
	return f.greet(cmd.ErrOrStderr(), host)
}

// greet says in five lines where things are.
func (f *startFlags) greet(w io.Writer, host string) error {
	data, err := filepath.Abs(f.data)
	if err != nil {
		return fmt.Errorf("--data %q: %w", f.data, err)
	}
	_, err = fmt.Fprintf(w, `otelcol-isbl %s with the built-in configuration (otelcol-isbl config prints it)
  send OTLP   http://%[2]s:4318, gRPC %[2]s:4317
  send JSON   curl http://%[2]s:4319/v1/events -H 'Content-Type: application/json' -d '{"event_type": "user.login"}'
  look        http://%[2]s:4380, or curl http://%[2]s:4380/api/v1/events
  data        %s
`, version.Number, host, data)
	return err
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
