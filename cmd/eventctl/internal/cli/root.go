// Package cli is the command line of eventctl: one command a file.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/isbl/telemetry/client"
	"github.com/isbl/telemetry/cmd/eventctl/internal/show"
	"github.com/isbl/telemetry/internal/manual"
	"github.com/isbl/telemetry/internal/version"
)

// app is what the commands share.
type app struct {
	in             io.Reader
	stdout, stderr io.Writer    // as they are, for files and other programs
	out, err       *show.Writer // for people

	options client.Options
	// profile names a profile, and tokenFile a file with the token.
	profile, tokenFile string
	colour             string

	client  *client.Client
	bar     *bar // that is shown now
	style   *show.Style
	running bool // a command was found, and its command line is right

	toldWhere sync.Once
}

// Run runs a command line, without the name of the program, and returns its exit code. An interrupt
// or ctx ends it in order; a second interrupt ends the process.
func Run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	a := &app{in: in, stdout: out, stderr: errw, out: show.NewWriter(out), err: show.NewWriter(errw), style: show.NewStyle(false)}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from here on a signal does what it does to every program
	err := root.ExecuteContext(ctx)
	if a.client != nil {
		a.client.Close()
	}
	if err != nil && !a.running {
		err = &usageError{err}
	}
	return a.report(ctx, err)
}

const long = `eventctl reads, follows, counts, exports and sends the events of ISBL Telemetry.

Every flag below "Global Flags" can be set by an environment variable too: EVENTCTL_ENDPOINT for --endpoint,
EVENTCTL_TOKEN for --token, and so on. NO_COLOR turns colours off.

Exit codes:
  0  it worked
  1  it did not: the server refused, an expectation was not met, a file is damaged
  2  the command line is wrong, also when it is the server that says so
  3  no answer, or one that says to try again later: trying again may help
  130  interrupted, where that is not the normal end of the command`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "eventctl",
		Short:             "Read, follow, count, export and send events",
		Long:              long,
		Version:           version.String(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: a.prepare,
	}
	root.SetGlobalNormalizationFunc(underscores)
	root.SetFlagErrorFunc(wrongFlag)
	flags := root.PersistentFlags()
	flags.StringVar(&a.options.Endpoint, "endpoint", "http://localhost:4380", "URL of the event store's API")
	flags.StringVar(&a.options.OTLPEndpoint, "otlp-endpoint", "http://localhost:4318", "URL of the receiver's OTLP/HTTP port, for emit and import")
	flags.StringVar(&a.options.Token, "token", "", "bearer token for both; better given as EVENTCTL_TOKEN, which other users of the machine do not see")
	flags.StringVar(&a.tokenFile, "token-file", "", "file that holds the token")
	flags.StringVar(&a.profile, "profile", "", "servers and how to get in, by name: see eventctl profile")
	_ = root.RegisterFlagCompletionFunc("profile", completeProfiles) // the flag is there
	flags.StringVar(&a.options.CAFile, "ca", "", "file with certificates (PEM) to trust beside the system's")
	flags.StringVar(&a.options.CertFile, "cert", "", "file with a certificate (PEM) to show to a server that asks for one")
	flags.StringVar(&a.options.KeyFile, "key", "", "file with the key (PEM) of --cert")
	flags.BoolVar(&a.options.InsecureSkipVerify, "insecure-skip-verify", false, "trust every certificate")
	flags.StringVar(&a.colour, "color", "auto", "auto, always or never")
	complete(root, "color", "auto", "always", "never")
	root.AddCommand(
		a.tailCommand(), a.getCommand(), a.statsCommand(), a.countsCommand(), a.aggregateCommand(), a.facetsCommand(), a.typesCommand(),
		a.consumeCommand(), a.consumersCommand(), a.exportCommand(), a.importCommand(), a.emitCommand(), a.testEventCommand(), a.expectCommand(),
		a.queryCommand(), a.alertsCommand(), a.rulesCommand(), a.profileCommand(), a.versionCommand(), manual.Command(),
	)
	return root
}

// prepare runs before every command, when its command line was read.
func (a *app) prepare(cmd *cobra.Command, _ []string) error {
	// Cobra looks at these later, where a mistake cannot be told from a failure of the command.
	if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
		return err
	}
	if err := a.connect(cmd); err != nil {
		return err
	}
	a.running = true
	return nil
}

// connect makes the client and the colours, as the global flags say.
func (a *app) connect(cmd *cobra.Command) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) { err = errors.Join(err, fromEnvironment(cmd, f)) })
	if err != nil {
		return err
	}
	if err := a.fromProfile(cmd); err != nil {
		return err
	}
	if err := a.readToken(); err != nil {
		return err
	}
	switch a.colour {
	case "auto", "always", "never":
	default:
		return fmt.Errorf("--color is %q, but must be auto, always or never", a.colour)
	}
	a.out.Colours = a.colour == "always" || a.colour == "auto" && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(a.stdout)
	a.style = show.NewStyle(a.out.Colours)
	a.options.UserAgent = "eventctl/" + version.Number
	if a.client, err = client.New(a.options); err != nil {
		return fmt.Errorf("--%w", err) // which begins with the name of the flag
	}
	return nil
}

// readToken reads the token of a file, unless there is one.
func (a *app) readToken() error {
	if a.options.Token != "" || a.tokenFile == "" {
		return nil
	}
	token, err := os.ReadFile(a.tokenFile)
	if err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	if a.options.Token = strings.TrimSpace(string(token)); a.options.Token == "" {
		return fmt.Errorf("--token-file: %s is empty", a.tokenFile)
	}
	return nil
}

// variable is the environment variable of a global flag.
func variable(f *pflag.Flag) string {
	return "EVENTCTL_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// fromEnvironment sets a global flag that the command line does not set.
func fromEnvironment(cmd *cobra.Command, f *pflag.Flag) error {
	if f.Changed || cmd.Root().PersistentFlags().Lookup(f.Name) != f {
		return nil
	}
	name := variable(f)
	value, ok := os.LookupEnv(name)
	if !ok || value == "" {
		return nil
	}
	if err := f.Value.Set(value); err != nil {
		return fmt.Errorf("%s is %q: %w", name, value, err)
	}
	return nil
}

// isTerminal says whether a person looks at w.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is that of the terminal, in characters.
func (a *app) width() int {
	if f, ok := a.stdout.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 100
}

// say tells a person something that is no result.
func (a *app) say(format string, args ...any) {
	a.bar.clear()
	fmt.Fprintf(a.err, "eventctl: "+format+"\n", args...)
}
