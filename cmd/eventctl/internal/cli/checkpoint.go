package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/isbl/telemetry/client"
)

// checkpoint says how far an export has come. It is kept beside the exported file.
type checkpoint struct {
	Form   client.Form   `json:"format"`
	Filter client.Filter `json:"filter"`
	// Cursor is where the export goes on when the file has Bytes bytes, which are Events events.
	Cursor string `json:"cursor"`
	Bytes  int64  `json:"bytes"`
	Events uint64 `json:"events"`
}

func checkpointName(file string) string { return file + ".cursor" }

func readCheckpoint(file string) (c checkpoint, err error) {
	name := checkpointName(file)
	raw, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return c, usagef("there is no %s, so --resume does not know where to go on: export to %s without it", name, file)
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("%s is damaged: %w", name, err)
	}
	return c, nil
}

// save replaces the checkpoint of a file, whole or not at all.
func (c *checkpoint) save(file string) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	next := checkpointName(file) + ".new"
	if err := os.WriteFile(next, append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, checkpointName(file))
}
