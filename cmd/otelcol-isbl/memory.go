package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"
)

const (
	// memoryVariable has what the process may take, in MiB, for limit_mib of memory_limiter. Its
	// spike limit is then a fifth, so that it begins to refuse events where Go's limit is.
	memoryVariable = "ISBL_MEMORY_MIB"

	// heapShare is the part of the process's memory that Go's limit is set to. The rest is for what
	// Go does not count, and for what comes between two looks of memory_limiter.
	heapShare = 0.8

	// machineShare is the part of the container or machine that the process may take.
	machineShare = 0.9

	// leastMemory is the least that the built-in configuration runs with.
	leastMemory = 128 << 20

	// gcPercent is GOGC unless the environment sets it. The heap of a store on disk is small: with
	// Go's own 100 it is collected several times a second at full load. docs/operations.md has the
	// figures.
	gcPercent = 200
)

// limitMemory sets Go's memory limit and how often it collects garbage, and tells the configuration
// by memoryVariable. memory is a size such as 512MiB; "" takes GOMEMLIMIT, else the container's
// limit, else the machine's memory.
func limitMemory(memory string) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	size, err := memorySize(memory)
	if err != nil || size == 0 {
		return err
	}
	if memory != "" || os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(float64(size) * heapShare))
	}
	if os.Getenv(memoryVariable) != "" {
		return nil
	}
	return os.Setenv(memoryVariable, strconv.FormatUint(min(size>>20, math.MaxUint32), 10))
}

// memorySize returns how many bytes the process may take; 0 where it is unknown, or GOMEMLIMIT is
// off.
func memorySize(memory string) (uint64, error) {
	if memory != "" {
		size, err := humanize.ParseBytes(memory)
		if err != nil {
			return 0, fmt.Errorf("--memory is %q, but must be a size such as 512MiB", memory)
		}
		if size < leastMemory || size > math.MaxInt64 {
			return 0, fmt.Errorf("--memory is %s, but must be at least %s", memory, humanize.IBytes(leastMemory))
		}
		return size, nil
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		limit := debug.SetMemoryLimit(-1)
		if limit == math.MaxInt64 {
			return 0, nil // off
		}
		return uint64(float64(limit) / heapShare), nil
	}
	size, err := memlimit.ApplyRatio(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem), machineShare)()
	if errors.Is(err, memlimit.ErrNoLimit) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find the memory of the container or machine: %w: set it with --memory", err)
	}
	return size, nil
}
