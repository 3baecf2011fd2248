package e2e

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A unit of Type=notify is ready when the collector's ports are open, and its configuration does
// not have to say so. Nobody is told where no systemd asks.
func TestSystemdIsNotified(t *testing.T) {
	dir := t.TempDir()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	require.NoError(t, err)
	defer socket.Close()
	told := func(patience time.Duration) string {
		require.NoError(t, socket.SetReadDeadline(time.Now().Add(patience)))
		message := make([]byte, 256)
		n, err := socket.Read(message)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			require.NoError(t, err)
		}
		return string(message[:n])
	}

	file := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(configuration(nil)), 0o600))
	cmd := exec.Command(binary(t), "--config", file, "--set=service.telemetry.logs.encoding=json", "--set=service.telemetry.logs.level=error")
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket.LocalAddr().String())
	c := launchCommand(t, cmd)
	require.Equal(t, "READY=1", told(time.Minute))
	// The Collector listens for hangups a moment after it is ready, and none before ends it.
	require.Eventually(t, func() bool {
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
		return told(time.Second) == "READY=1"
	}, time.Minute, time.Millisecond, "after a reload")
	c.stop(t)
}
