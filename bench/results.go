package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// section is what a part measured: its file in the folder of results, and its place in the report.
type section struct {
	Part     string    `json:"part"`
	Measured time.Time `json:"measured"`
	Took     string    `json:"took"`
	Command  string    `json:"command"`
	Machine  machine   `json:"machine"`
	Settings settings  `json:"settings"`
	Loads    []series  `json:"loads,omitempty"`
	Figures  []figure  `json:"figures,omitempty"`
}

// settings are what a run was told that its figures depend on.
type settings struct {
	Rounds     int    `json:"rounds"`
	Duration   string `json:"duration"`
	GOGC       string `json:"gogc"`
	GOMEMLIMIT string `json:"gomemlimit"`
}

// figure is one number that was measured once or several times, and its place in a table.
type figure struct {
	Row     string   `json:"row"`    // what was measured
	Column  string   `json:"column"` // in which respect, and in what unit
	Key     string   `json:"key"`    // for targets; unique within the part
	Samples []number `json:"samples"`
}

// spread is that of the samples.
func (f figure) spread() spread {
	samples := make([]float64, len(f.Samples))
	for i, s := range f.Samples {
		samples[i] = float64(s)
	}
	return spreadOf(samples)
}

// figures collects samples under their keys, in the order in which the keys first come.
type figures struct{ all []figure }

func (f *figures) add(key, row, column string, sample float64) {
	for i := range f.all {
		if f.all[i].Key == key {
			f.all[i].Samples = append(f.all[i].Samples, number(sample))
			return
		}
	}
	f.all = append(f.all, figure{row, column, key, []number{number(sample)}})
}

// writeSection replaces the file of a part.
func writeSection(dir string, s section) error {
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, s.Part+".json"), append(text, '\n'), 0o644)
}

// readSections reads what was measured before.
func readSections(dir string) (map[string]section, error) {
	all := map[string]section{}
	for _, p := range parts {
		text, err := os.ReadFile(filepath.Join(dir, p.name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var s section
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&s); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		all[p.name] = s
	}
	return all, nil
}
