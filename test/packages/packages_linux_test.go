// Package packages installs what `make packages` builds on a systemd of its own, and uses it as an
// administrator does.
package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	project = "../.."
	service = "otelcol-isbl"

	// exposure is the most that `systemd-analyze security` may find, in tenths: 10 is "OK", 100 is
	// everything.
	exposure = "15"
)

func TestLifeOfAPackage(t *testing.T) {
	for _, kind := range []struct {
		name, tool, file         string
		install, upgrade, remove string
	}{
		{"deb", "dpkg", "otelcol-isbl_%s-1_*.deb", "dpkg -i", "dpkg -i", "dpkg -r"},
		{"rpm", "rpm", "otelcol-isbl-%s-1.*.rpm", "rpm -i --nodeps", "rpm -U --nodeps", "rpm -e"},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(kind.tool); err != nil {
				t.Skip(kind.tool + " is missing")
			}
			m := bootSystemd(t, kind.name)
			file := func(version string) string { return "/root/" + strings.ReplaceAll(kind.file, "%s", version) }

			m.run(t, kind.install+" "+file("0.0.9"))
			m.run(t, "systemctl enable --now "+service) // Fedora leaves this to the administrator
			m.run(t, "eventctl emit user.login")
			require.Contains(t, m.run(t, "eventctl get"), "user.login")
			assert.Equal(t, "isbl", m.run(t, "ps -o user= -p $(systemctl show -P MainPID "+service+")"))
			assert.Equal(t, "640 root isbl", m.run(t, "stat -c '%a %U %G' /etc/isbl/config.yaml"))
			assert.Contains(t, m.run(t, "zcat $(find /usr/share/man -name 'eventctl-tail.1.gz')"), "Follow events")
			assert.Contains(t, m.run(t, "cat /usr/share/otelcol-isbl/alerts/isbl-telemetry.yaml"), "IsblTelemetryDown")
			m.run(t, "test -r /usr/share/otelcol-isbl/grafana/dashboards/isbl-telemetry.json")
			m.run(t, ". /usr/share/bash-completion/completions/eventctl && complete -p eventctl")

			t.Log(m.run(t, "systemd-analyze verify "+service+".service && "+
				"systemd-analyze security --no-pager --threshold="+exposure+" "+service+".service | tail -1"))

			// A reload takes a configuration that is valid, and none that is not.
			m.run(t, "sed -i.good 's/retention:/retentoin:/' /etc/isbl/config.yaml")
			assert.Contains(t, m.fail(t, "systemctl reload "+service), "failed")
			assert.Contains(t, m.run(t, "eventctl get"), "user.login")
			m.run(t, "sed 's/max_bytes: 10GiB/max_bytes: 1GiB/' /etc/isbl/config.yaml.good >/etc/isbl/config.yaml")
			m.run(t, "systemctl reload "+service)
			m.eventually(t, `eventctl emit user.logout`)

			m.run(t, kind.upgrade+" "+file("0.1.0"))
			m.run(t, "systemctl is-active "+service)
			m.run(t, "grep 'max_bytes: 1GiB' /etc/isbl/config.yaml")
			got := m.run(t, "eventctl get")
			assert.Contains(t, got, "user.login")
			assert.Contains(t, got, "user.logout")

			// The way back.
			m.run(t, strings.Replace(kind.upgrade, "-U", "-U --oldpackage", 1)+" "+file("0.0.9"))
			assert.Equal(t, got, m.run(t, "eventctl get"))

			m.run(t, kind.remove+" "+service)
			m.fail(t, "pgrep "+service)
			m.fail(t, "systemctl cat "+service)
			m.run(t, "test ! -e /usr/bin/otelcol-isbl && test -d /var/lib/isbl/jetstream")
			m.run(t, "grep -q 'max_bytes: 1GiB' /etc/isbl/config.yaml*")
		})
	}
}

// bootSystemd skips the test where the machine has no systemd.
func bootSystemd(t *testing.T, kind string) *machine {
	t.Helper()
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil {
		t.Skip("systemd is missing")
	}
	m := launch(t, "root.sh", t.TempDir(), packageDirectory(t, kind))
	m.shell = []string{"bash", "-c"}
	m.eventually(t, "systemctl is-active test.target")
	return m
}

// packageDirectory has the package that `make packages` built and, of the same files, one of an
// earlier version.
func packageDirectory(t *testing.T, kind string) string {
	t.Helper()
	built, err := filepath.Glob(project + "/build/packages/*." + kind)
	require.NoError(t, err)
	if len(built) == 0 {
		t.Skip("build/packages is empty: run make packages")
	}
	dir := t.TempDir()
	out, err := exec.Command("cp", append(built, dir)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	config, err := os.ReadFile(project + "/packaging/nfpm.yaml")
	require.NoError(t, err)
	quick := strings.Replace(string(config), "buildhost:", "compression: gzip:1\n  buildhost:", 1) + "\ndeb: {compression: none}\n"
	file := filepath.Join(t.TempDir(), "nfpm.yaml")
	require.NoError(t, os.WriteFile(file, []byte(quick), 0o600))
	cmd := exec.Command("go", "tool", "-modfile=internal/tools/packages/go.mod", "nfpm", "package", "-f", file, "-p", kind, "-t", dir+"/")
	cmd.Dir, cmd.Env = project, append(os.Environ(), "VERSION=0.0.9", "ARCH="+runtime.GOARCH)
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}
