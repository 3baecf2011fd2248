package rulefile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Loader reads the files of patterns. It remembers what it read, so that a file that is broken
// later leaves its old rules in force. It is safe for concurrent use.
type Loader struct {
	mu   sync.Mutex
	good map[string][]Group // by file
}

// Load reads all files that match patterns, each once. It returns the rules that are in force:
// those of files that are in order, and of a broken file those that it had when it was in order
// last. The error joins what is wrong, an *Error for each fault; a pattern without files is one
// too.
func (l *Loader) Load(patterns []string) ([]Group, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		switch {
		case err != nil:
			errs = append(errs, &Error{File: pattern, Err: err})
		case len(found) == 0:
			errs = append(errs, &Error{File: pattern, Err: errors.New("there is no such file")})
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	good := map[string][]Group{}
	var all []Group
	for _, file := range files {
		groups, err := readFile(file)
		if err != nil {
			groups = l.good[file]
			errs = append(errs, err)
			if len(groups) > 0 {
				errs = append(errs, &Error{File: file, Err: errors.New("its rules of before stay in force")})
			}
		}
		if len(groups) > 0 {
			good[file] = groups
		}
		all = append(all, groups...)
	}
	l.good = good
	return all, errors.Join(errs...)
}

func readFile(file string) ([]Group, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, &Error{File: file, Err: err}
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, &Error{File: file, Err: fmt.Errorf("read: %w", err)}
	}
	return Parse(file, content)
}
