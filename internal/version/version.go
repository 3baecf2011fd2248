// Package version says which release a program of ours is.
package version

import (
	"runtime/debug"
	"strings"
)

// Number is the version of this source tree: of the release that it is, or becomes. It stands only
// here; packages, container images and both programs take it from here, and the tag of a release is
// this with a v before it.
const Number = "0.1.0"

// String returns Number and, where Go stamped the build, the commit and its date: "0.1.0
// (1a2b3c4d5e6f, 2026-11-25)". A tree with changes that are not committed says "modified".
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Number
	}
	return describe(info.Settings)
}

func describe(settings []debug.BuildSetting) string {
	stamp := map[string]string{}
	for _, setting := range settings {
		stamp[setting.Key] = setting.Value
	}
	revision := stamp["vcs.revision"]
	if revision == "" {
		return Number
	}
	day, _, _ := strings.Cut(stamp["vcs.time"], "T")
	parts := []string{revision[:min(len(revision), 12)], day}
	if stamp["vcs.modified"] == "true" {
		parts = append(parts, "modified")
	}
	return Number + " (" + strings.Join(parts, ", ") + ")"
}
