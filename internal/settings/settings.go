// Package settings reads a flat configuration from a YAML file, with environment variables on top.
package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/isbl/telemetry/internal/eventtype"
)

// Setting is one key.
type Setting struct {
	// Key is its name in the file; in the environment it is in upper case, after the prefix.
	Key string
	// Into is a pointer to where the value goes: *bool, *int, *float64, *string, *[]string, or what
	// yaml can decode into.
	Into any
	// Want completes the sentence "… : write …" for a value that does not fit.
	Want string
}

// Load reads the file, if path is not empty, then the variables of environ that start with prefix.
// What neither of them sets stays as it is. The error names every key that is unknown and every
// value that does not fit, and where they are.
func Load(path, prefix string, environ []string, all []Setting) error {
	var errs []error
	if path != "" {
		errs = append(errs, fromFile(path, all))
	}
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(variable, "=")
		if key, ok := strings.CutPrefix(name, prefix); ok {
			errs = append(errs, fromEnv(prefix, key, value, all))
		}
	}
	return errors.Join(errs...)
}

func fromFile(path string, all []Setting) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // only comments
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		return fmt.Errorf("%s:%d: a second document starts here: write all keys in one", path, second.Line)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %w", path, err)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		if root.ShortTag() == "!!null" {
			return nil
		}
		return fmt.Errorf("%s:%d: must hold lines of the form `key: value`", path, root.Line)
	}
	var errs []error
	seen := map[string]int{} // lines
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		where := fmt.Sprintf("%s:%d: `%s`", path, key.Line, key.Value)
		if line, twice := seen[key.Value]; twice {
			errs = append(errs, fmt.Errorf("%s is written on line %d already: remove one of them", where, line))
			continue
		}
		seen[key.Value] = key.Line
		errs = append(errs, set(where, key.Value, value, all))
	}
	return errors.Join(errs...)
}

// fromEnv takes the value as it is for a text, split at commas for a list of texts, and as YAML for
// everything else.
func fromEnv(prefix, key, value string, all []Setting) error {
	name := prefix + key
	key = strings.ToLower(key)
	if name != strings.ToUpper(name) {
		key = "" // unknown: case matters
	}
	where := "environment variable " + name
	at := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })
	if at < 0 {
		return unknown(where, all, func(key string) string { return prefix + strings.ToUpper(key) })
	}
	switch into := all[at].Into.(type) {
	case *string:
		*into = value
		return nil
	case *[]string:
		if !strings.HasPrefix(strings.TrimSpace(value), "[") {
			*into = nil
			for _, text := range eventtype.SplitList(value) {
				if text = strings.TrimSpace(text); text != "" {
					*into = append(*into, text)
				}
			}
			return nil
		}
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(value), &document); err != nil || document.Kind == 0 {
		return fmt.Errorf("%s is %q: write %s", where, value, all[at].Want)
	}
	return set(where, key, document.Content[0], all)
}

// set decodes the value of a key. Its kind must be the setting's: text is no number, and a number
// no text.
func set(where, key string, value *yaml.Node, all []Setting) error {
	at := slices.IndexFunc(all, func(s Setting) bool { return s.Key == key })
	if at < 0 {
		return unknown(where, all, func(key string) string { return key })
	}
	if value.ShortTag() == "!!null" {
		return nil
	}
	err := value.Decode(all[at].Into)
	if _, whole := all[at].Into.(*int); whole && value.ShortTag() == "!!float" { // yaml cuts the rest off
		err = &yaml.TypeError{}
	}
	var kind *yaml.TypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind) && value.Kind == yaml.ScalarNode:
		return fmt.Errorf("%s is %q: write %s", where, value.Value, all[at].Want)
	case errors.As(err, &kind):
		return fmt.Errorf("%s does not fit: write %s (%s)", where, all[at].Want, strings.Join(kind.Errors, "; "))
	default:
		return fmt.Errorf("%s: %w", where, err)
	}
}

func unknown(where string, all []Setting, show func(key string) string) error {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = show(s.Key)
	}
	return fmt.Errorf("%s is no setting: write one of %s", where, strings.Join(names, ", "))
}
