package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// profiles is the file of profiles: names of servers, and how to get in. It holds no secrets, but
// the names of the files that do.
type profiles struct {
	// Current is the profile that counts where --profile is not given; empty for none.
	Current string `yaml:"current,omitempty"`
	// Profiles are values of global flags, by the name of the profile.
	Profiles map[string]map[string]string `yaml:"profiles,omitempty"`
}

// inProfile are the flags that a profile may set, and whether they name a file.
var inProfile = map[string]bool{
	"endpoint": false, "otlp-endpoint": false, "token-file": true, "ca": true, "cert": true, "key": true, "insecure-skip-verify": false,
}

// profilesFile returns where the profiles are.
func profilesFile() (string, error) {
	if path := os.Getenv("EVENTCTL_CONFIG"); path != "" {
		return path, nil
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "eventctl", "config.yaml"), nil
}

// readProfiles reads the file; without one there are none.
func readProfiles() (*profiles, error) {
	path, err := profilesFile()
	if err != nil {
		return &profiles{}, nil //nolint:nilerr // a program without a home has no profiles
	}
	text, err := os.ReadFile(path) // #nosec G304: the user's own
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &profiles{}, nil
	case err != nil:
		return nil, fmt.Errorf("read the profiles: %w", err)
	}
	p := &profiles{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(p); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for name, values := range p.Profiles {
		for key := range values {
			if _, known := inProfile[key]; !known {
				return nil, fmt.Errorf("%s: profile %s has %q: write one of %s", path, name, key, strings.Join(slices.Sorted(maps.Keys(inProfile)), ", "))
			}
		}
	}
	return p, nil
}

// write replaces the file.
func (p *profiles) write() error {
	path, err := profilesFile()
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// find returns a profile.
func (p *profiles) find(name string) (map[string]string, error) {
	values, ok := p.Profiles[name]
	if !ok {
		there := "there is none yet: eventctl profile set makes one"
		if len(p.Profiles) > 0 {
			there = "there are " + strings.Join(slices.Sorted(maps.Keys(p.Profiles)), ", ")
		}
		return nil, usagef("there is no profile %q: %s", name, there)
	}
	return values, nil
}

// fromProfile sets the global flags that neither the command line nor the environment sets.
func (a *app) fromProfile(cmd *cobra.Command) error {
	all, err := readProfiles()
	if err != nil {
		return err
	}
	name := a.profile
	if name == "" {
		name = all.Current
	}
	if name == "" {
		return nil
	}
	values, err := all.find(name)
	if err != nil {
		return err
	}
	for key, value := range values {
		f := cmd.Root().PersistentFlags().Lookup(key)
		if f.Changed || os.Getenv(variable(f)) != "" {
			continue
		}
		if err := f.Value.Set(value); err != nil {
			return fmt.Errorf("profile %s: %s is %q: %w", name, key, value, err)
		}
	}
	return nil
}

func (a *app) profileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Name servers, and how to get in",
		Long: `Name servers, and how to get in. A profile has values of the global flags --endpoint, --otlp-endpoint, --token-file, --ca, --cert, --key
and --insecure-skip-verify. The one in use, or that of --profile, counts for what neither the command line nor the environment sets.
Profiles are in eventctl/config.yaml in the user's configuration directory (~/.config), or in the file that EVENTCTL_CONFIG names.`,
		Example: `  eventctl profile set prod --endpoint https://events.example.com:4380 --token-file ~/.secrets/events
  eventctl profile use prod
  eventctl --profile test get`,
		// No server is needed, and a profile that does not work can be changed.
		PersistentPreRunE: func(*cobra.Command, []string) error { a.running = true; return nil },
	}
	change := func(use, short string, change func(cmd *cobra.Command, all *profiles, name string) error) *cobra.Command {
		return &cobra.Command{
			Use: use + " NAME", Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: completeProfiles,
			RunE: func(cmd *cobra.Command, args []string) error {
				all, err := readProfiles()
				if err != nil {
					return err
				}
				if err := change(cmd, all, args[0]); err != nil {
					return err
				}
				return all.write()
			},
		}
	}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List the profiles; * is the one in use", Args: noArguments, RunE: func(*cobra.Command, []string) error { return a.listProfiles() }},
		change("set", "Make a profile of the global flags on the command line, or change it", setProfile),
		change("use", "Use a profile from now on", func(_ *cobra.Command, all *profiles, name string) error {
			_, err := all.find(name)
			all.Current = name
			return err
		}),
		change("delete", "Forget a profile", func(_ *cobra.Command, all *profiles, name string) error {
			_, err := all.find(name)
			delete(all.Profiles, name)
			if all.Current == name {
				all.Current = ""
			}
			return err
		}),
	)
	return cmd
}

// setProfile keeps the global flags that are on the command line. The first profile is in use.
func setProfile(cmd *cobra.Command, all *profiles, name string) error {
	values := map[string]string{}
	var wrong error
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		file, known := inProfile[f.Name]
		switch {
		case !f.Changed:
		case f.Name == "token":
			wrong = usagef("a profile holds no token: write it to a file, and name that with --token-file")
		case known && file:
			path, err := filepath.Abs(f.Value.String())
			wrong = errors.Join(wrong, err)
			values[f.Name] = path
		case known:
			values[f.Name] = f.Value.String()
		}
	})
	if wrong != nil {
		return wrong
	}
	if len(values) == 0 {
		return usagef("nothing to set: write --endpoint, --token-file or another flag that a profile has")
	}
	if all.Profiles == nil {
		all.Profiles = map[string]map[string]string{}
	}
	if all.Profiles[name] == nil {
		all.Profiles[name] = map[string]string{}
	}
	maps.Copy(all.Profiles[name], values)
	if len(all.Profiles) == 1 {
		all.Current = name
	}
	return nil
}

func (a *app) listProfiles() error {
	all, err := readProfiles()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(all.Profiles)) {
		mark := " "
		if name == all.Current {
			mark = "*"
		}
		line := mark + " " + name
		for _, key := range slices.Sorted(maps.Keys(all.Profiles[name])) {
			line += " --" + key + "=" + all.Profiles[name][key]
		}
		if _, err := fmt.Fprintln(a.out, line); err != nil {
			return err
		}
	}
	return nil
}

func completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := readProfiles()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(all.Profiles)), cobra.ShellCompDirectiveNoFileComp
}
