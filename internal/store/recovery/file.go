package recovery

import (
	"errors"
	"os"
)

// writeFile writes a small file so that it is there whole or not at all.
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
	return os.Rename(temp, path)
}
