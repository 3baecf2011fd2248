package store

import (
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/isbl/telemetry/internal/store/log/embedded"
)

func (s *Store) warnIfDiskIsSmall() {
	if s.opts.Directory == "" {
		return
	}
	dir := s.opts.Directory
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	used := dirSize(s.opts.Directory)
	if free, err := embedded.FreeBytes(dir); err == nil && free+used < s.opts.MaxBytes {
		s.opts.Logger.Warn("the disk is smaller than the retention; when it is full, new events are refused",
			zap.String("directory", s.opts.Directory), zap.Int64("free_bytes", free), zap.Int64("max_bytes", s.opts.MaxBytes))
	}
}

func dirSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil // what cannot be read does not count
	})
	return n
}
