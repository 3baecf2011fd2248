package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what a process has used so far in user mode and kernel, ended threads included, in
// nanoseconds where /proc/<pid>/stat counts hundredths of a second.
func cpuTime(pid int) (time.Duration, error) {
	var t unix.Timespec
	// The clock of another process, as clock_getcpuclockid(3) makes it: the complement of its id,
	// and CPUCLOCK_SCHED.
	if err := unix.ClockGettime(^int32(pid)<<3|2, &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// resetPeak makes the memory that a process has now its peak.
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// residentMemory is what a process has in memory now, and the most it had since resetPeak, in
// bytes.
func residentMemory(pid int) (now, peak int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kib << 10
		case "VmHWM":
			peak = kib << 10
		}
	}
	return now, peak, nil
}

// childAttributes let Ctrl-C reach only this program, which then ends the others in order, and let
// them end with it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// fileSystem names the file system and the device of a folder.
func fileSystem(dir string) string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "unknown"
	}
	found, length := "unknown", 0
	for line := range strings.SplitSeq(string(mounts), "\n") {
		f := strings.Fields(line)
		if len(f) < 3 || len(f[1]) < length {
			continue
		}
		if dir == f[1] || strings.HasPrefix(dir, strings.TrimSuffix(f[1], "/")+"/") {
			found, length = fmt.Sprintf("%s on %s", f[2], f[0]), len(f[1])
		}
	}
	return found
}

// pwriteSync writes at a place of a file, and syncs it as a store does.
func pwriteSync(f *os.File, data []byte, at int64) error {
	if _, err := f.WriteAt(data, at); err != nil {
		return err
	}
	return unix.Fdatasync(int(f.Fd()))
}

// forget makes the system forget a file that it keeps in memory.
func forget(file *os.File) error {
	if err := file.Sync(); err != nil { // what is not written cannot be forgotten
		return nil //nolint:nilerr // it is somebody else's
	}
	return unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// loadAverage is how many processes wanted to run in the last minute.
func loadAverage() (load float64) {
	text, _ := os.ReadFile("/proc/loadavg") // without it, 0
	_, _ = fmt.Sscanf(string(text), "%f", &load)
	return load
}
