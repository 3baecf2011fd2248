//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a command a process group of its own: Ctrl-C in the terminal is for eventctl
// alone, which lets the command end; and when the command must be ended, what it started is too.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
