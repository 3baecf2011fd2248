package recovery

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// writeFile writes a small file so that it is there whole or not at all, also after a power cut.
// google/renameio does not build for Windows, and like natefinch/atomic it does not sync the
// directory and leaves a file of another name with each crash.
func writeFile(path, content string) (err error) {
	temp := path + ".new" // always the same, so that a crash leaves at most one
	f, err := os.Create(temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(temp, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the names of a directory durable. Windows does so by itself.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
