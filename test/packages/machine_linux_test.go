package packages

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a command, or what it is waited for, may take on a slow machine.
const patience = 2 * time.Minute

// machine is a process alone in its namespaces, with files of its own, and what it starts.
type machine struct {
	pid    int
	exited chan struct{}
	log    bytes.Buffer // complete when exited is closed
	shell  []string     // what commands are given to; nil where there is no shell
}

// launch runs a script in namespaces of its own, until the test ends. It skips the test where the
// machine gives nobody namespaces.
func launch(t *testing.T, script string, args ...string) *machine {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can have all namespaces")
	}
	for _, tool := range []string{"nsenter", "setpriv", "pivot_root", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is missing")
		}
	}
	m := &machine{exited: make(chan struct{})}
	cmd := exec.Command("bash", append([]string{script}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:    true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	cmd.Stdout, cmd.Stderr = &m.log, &m.log
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespaces: %v", err)
	}
	go func() {
		_ = cmd.Wait() // it is killed, or the log says why it ended
		close(m.exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is the first process of its namespace, so all others end too
		<-m.exited
		if t.Failed() {
			t.Logf("log of the machine:\n%s", m.log.String())
		}
	})
	m.pid = cmd.Process.Pid
	return m
}

func (m *machine) process() string { return strconv.Itoa(m.pid) }

// sh runs a command on the machine.
func (m *machine) sh(command string) (string, error) {
	args := []string{"-s", "KILL", strconv.Itoa(int(patience.Seconds())), "nsenter", "-t", m.process(), "-m", "-p", "-n", "-u", "-i", "-r", "-w"}
	if m.shell == nil {
		args = append(args, strings.Fields(command)...)
	} else {
		args = append(append(args, m.shell...), command)
	}
	cmd := exec.Command("timeout", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	out, err := cmd.CombinedOutput()
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

// eventually runs a command until it succeeds. The test is skipped if the machine ends before,
// since that is where it may do none of this.
func (m *machine) eventually(t *testing.T, command string) {
	t.Helper()
	var out string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var err error
		if out, err = m.sh(command); err == nil {
			return
		}
		select {
		case <-m.exited:
			t.Skipf("this machine does not let the test have a machine of its own:\n%s", m.log.String())
		default:
		}
	}
	t.Fatalf("%s: %s", command, out)
}
