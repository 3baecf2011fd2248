//go:build !linux

package main

import (
	"errors"
	"os"
	"syscall"
	"time"
)

var errNeedsLinux = errors.New("this program measures with /proc and needs Linux")

func cpuTime(int) (time.Duration, error)       { return 0, errNeedsLinux }
func resetPeak(int) error                      { return errNeedsLinux }
func residentMemory(int) (int64, int64, error) { return 0, 0, errNeedsLinux }
func childAttributes() *syscall.SysProcAttr    { return nil }
func fileSystem(string) string                 { return "unknown" }
func pwriteSync(*os.File, []byte, int64) error { return errNeedsLinux }
func forget(*os.File) error                    { return errNeedsLinux }
func loadAverage() float64                     { return 0 }
