package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// machine is where and with what something was measured.
type machine struct {
	CPU        string            `json:"cpu"`
	Cores      int               `json:"cores"`
	Memory     string            `json:"memory"`
	Kernel     string            `json:"kernel"`
	FileSystem string            `json:"file_system"`
	Go         string            `json:"go"`
	Revision   string            `json:"revision"` // of this repository
	Modules    map[string]string `json:"modules"`
}

// modules are the ones whose versions matter for the figures.
var modules = []string{
	"go.opentelemetry.io/collector/pdata", "go.opentelemetry.io/collector/receiver/otlpreceiver", "github.com/nats-io/nats-server/v2",
	"github.com/nats-io/nats.go", "github.com/klauspost/compress", "google.golang.org/grpc",
}

func describeMachine(o options) (machine, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return machine{}, err
	}
	m := machine{
		CPU: valueIn("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: valueIn("/proc/meminfo", "MemTotal"), Kernel: output("uname", "-sr"),
		FileSystem: fileSystem(dir), Go: runtime.Version(), Revision: revision(o),
		Modules: map[string]string{},
	}
	var kib float64
	if _, err := fmt.Sscanf(m.Memory, "%f kB", &kib); err == nil {
		m.Memory = fmt.Sprintf("%.1f GiB", kib/(1<<20))
	}
	// What the collector was built of, not this program.
	for line := range strings.SplitSeq(output("go", "version", "-m", o.ours), "\n") {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "dep" {
			for _, name := range modules {
				if f[1] == name {
					m.Modules[name] = f[2]
				}
			}
		}
	}
	return m, nil
}

// valueIn is the value behind a name and a colon in a file of /proc.
func valueIn(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// revision is that of the code: what is measured changes the results itself.
func revision(o options) string {
	commit := output("git", "rev-parse", "--short=10", "HEAD")
	if output("git", "status", "--porcelain", "--", ".", ":!"+o.results, ":!"+o.doc) != "" {
		commit += "-dirty"
	}
	return commit
}

// output is what a command prints, or "unknown".
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
