// Package packages installs what `make packages` builds on a systemd of its own, and uses it as an
// administrator does.
package packages

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	project = "../.."
	service = "otelcol-isbl"

	// patience is how long a command, or what it is waited for, may take on a slow machine.
	patience = 2 * time.Minute

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
			m := boot(t, kind.name)
			file := func(version string) string { return "/root/" + strings.ReplaceAll(kind.file, "%s", version) }

			m.run(t, kind.install+" "+file("0.0.9"))
			m.run(t, "systemctl enable --now "+service) // Fedora leaves this to the administrator
			m.run(t, "eventctl emit user.login")
			require.Contains(t, m.run(t, "eventctl get"), "user.login")
			assert.Equal(t, "isbl", m.run(t, "ps -o user= -p $(systemctl show -P MainPID "+service+")"))
			assert.Equal(t, "640 root isbl", m.run(t, "stat -c '%a %U %G' /etc/isbl/config.yaml"))
			assert.Contains(t, m.run(t, "zcat $(find /usr/share/man -name 'eventctl-tail.1.gz')"), "Follow events")
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

// machine is a systemd that runs in namespaces and on files of its own.
type machine struct{ pid int }

// boot skips the test where the machine has no systemd, or lets nobody have namespaces.
func boot(t *testing.T, kind string) *machine {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can install packages")
	}
	for _, tool := range []string{"/lib/systemd/systemd", "nsenter", "pivot_root", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is missing")
		}
	}
	cmd := exec.Command("bash", "root.sh", t.TempDir(), packageDirectory(t, kind))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:    true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespaces: %v", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed, or the log says why it ended
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is the first process of its namespace, so all others end too
		<-exited
		if t.Failed() {
			t.Logf("log of systemd:\n%s", log.String())
		}
	})
	m := &machine{cmd.Process.Pid}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case <-exited:
			t.Skipf("this machine runs no systemd in namespaces: %s", log.String())
		default:
		}
		if _, err := m.sh("systemctl is-active test.target"); err == nil {
			return m
		}
	}
	t.Fatal("systemd does not start")
	return nil
}

// packageDirectory has the package that `make packages` built and, of the same files, one of an
// earlier version.
func packageDirectory(t *testing.T, kind string) string {
	t.Helper()
	built, err := filepath.Glob(project + "/build/packages/*." + kind)
	require.NoError(t, err)
	if len(built) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("build/packages is empty: run make packages")
		}
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

// sh runs a command on the machine.
func (m *machine) sh(command string) (string, error) {
	args := []string{
		"-t", strconv.Itoa(m.pid), "-m", "-p", "-n", "-u", "-i", "-r", "-w", "env", "-i",
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive",
		"timeout", strconv.Itoa(int(patience.Seconds())), "bash", "-c", command,
	}
	out, err := exec.Command("nsenter", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err //nolint:wrapcheck // the caller has the command
}

// run runs a command that must succeed.
func (m *machine) run(t *testing.T, command string) string {
	t.Helper()
	out, err := m.sh(command)
	require.NoError(t, err, "%s\n%s", command, out)
	return out
}

// fail runs a command that must not.
func (m *machine) fail(t *testing.T, command string) string {
	t.Helper()
	out, err := m.sh(command)
	require.Error(t, err, "%s\n%s", command, out)
	return out
}

// eventually runs a command until it succeeds.
func (m *machine) eventually(t *testing.T, command string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := m.sh(command)
		return err == nil
	}, patience, 100*time.Millisecond, command)
}
