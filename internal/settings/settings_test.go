package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type values struct {
	on    bool
	size  int
	share float64
	name  string
	types []string
	rates []Rate
}

// load reads a file, unless its text is empty, and variables.
func load(t *testing.T, text string, environ ...string) (values, error) {
	t.Helper()
	path := ""
	if text != "" {
		path = filepath.Join(t.TempDir(), "c.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	v := values{on: true, size: 10, name: "default"}
	err := Load(path, "T_", environ, []Setting{
		{Key: "on", Into: &v.on, Want: "true or false"},
		{Key: "size", Into: &v.size, Want: "a whole number"},
		{Key: "share", Into: &v.share, Want: "a number"},
		{Key: "name", Into: &v.name, Want: "a text"},
		{Key: "types", Into: &v.types, Want: "a list of texts"},
		{Key: "rates", Into: &v.rates, Want: "a list of rates"},
	})
	return v, err
}

func TestLoad(t *testing.T) {
	const file = "on: false\nsize: 5\nshare: 0.5\nname: shop\ntypes: [a, b.*]\nrates: [{event_type: x, min_severity: error, rate: 1}, {rate: 0.1}]\n"
	written := values{
		on: false, size: 5, share: 0.5, name: "shop", types: []string{"a", "b.*"},
		rates: []Rate{{EventType: "x", MinSeverity: "error", Rate: 1}, {EventType: "*", Rate: 0.1}},
	}
	for _, tt := range []struct {
		name, file string
		environ    []string
		want       values
	}{
		{name: "nothing", want: values{on: true, size: 10, name: "default"}},
		{name: "comments only", file: "# nothing\n", want: values{on: true, size: 10, name: "default"}},
		{name: "null leaves the default", file: "size:\nname: null\n", want: values{on: true, size: 10, name: "default"}},
		{name: "file", file: file, want: written},
		{
			name:    "environment",
			environ: []string{"T_ON=false", "T_SIZE=5", "T_SHARE=0.5", "T_NAME=shop", "T_TYPES=a, b.*,", "T_RATES=[{event_type: x, min_severity: error, rate: 1}, {rate: 0.1}]", "OTHER=1"},
			want:    written,
		},
		{name: "environment wins", file: "size: 5\n", environ: []string{"T_SIZE=6"}, want: values{on: true, size: 6, name: "default"}},
		{name: "a text is taken as it is", environ: []string{"T_NAME=5"}, want: values{on: true, size: 10, name: "5"}},
		{name: "a list as YAML", environ: []string{`T_TYPES=["a,b"]`}, want: values{on: true, size: 10, name: "default", types: []string{"a,b"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := load(t, tt.file, tt.environ...)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		environ    []string
		want       []string
	}{
		{name: "unknown key", file: "syze: 5\n", want: []string{":1: `syze` is no setting: write one of on, size, share"}},
		{name: "all of them", file: "size: x\non: 5\n", want: []string{":1: `size` is \"x\": write a whole number", ":2: `on` is \"5\": write true or false"}},
		{name: "a fraction for a whole number", file: "size: 1.5\n", want: []string{"`size` is \"1.5\": write a whole number"}},
		{name: "a list for a text", file: "name: [a]\n", want: []string{"`name` does not fit: write a text"}},
		{name: "twice", file: "size: 1\non: true\nsize: 2\n", want: []string{":3: `size` is written on line 1 already: remove one of them"}},
		{name: "no mapping", file: "- a\n", want: []string{":1: must hold lines of the form `key: value`"}},
		{name: "two documents", file: "size: 1\n---\non: true\n", want: []string{"a second document starts here"}},
		{name: "no YAML", file: "size: [", want: []string{"c.yaml: yaml:"}},
		{name: "unknown variable", environ: []string{"T_SYZE=1"}, want: []string{"environment variable T_SYZE is no setting: write one of T_ON, T_SIZE"}},
		{name: "a variable in lower case", environ: []string{"T_size=1"}, want: []string{"environment variable T_size is no setting"}},
		{name: "a variable that does not fit", environ: []string{"T_SIZE=x"}, want: []string{"environment variable T_SIZE is \"x\": write a whole number"}},
		{name: "no YAML in a variable", environ: []string{"T_SIZE=["}, want: []string{"environment variable T_SIZE is \"[\": write a whole number"}},
		{name: "a rate without a rate", file: "rates: [{event_type: a}]\n", want: []string{"`rate` is missing: write the share of events to keep"}},
		{name: "a rate with an unknown key", file: "rates: [{rate: 1, type: a}]\n", want: []string{"`type` is no setting: write one of event_type, min_severity, rate"}},
		{name: "a rate with a key twice", file: "rates: [{rate: 1, rate: 1}]\n", want: []string{"`rate` is written twice: remove one of them"}},
		{name: "a rate for no type", file: "rates: [{event_type: \"\", rate: 1}]\n", want: []string{"`event_type` is \"\": write a pattern"}},
		{name: "a rate that is none", file: "rates: [5]\n", want: []string{"must be an entry like"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, tt.file, tt.environ...)
			require.Error(t, err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
	assert.ErrorIs(t, Load(filepath.Join(t.TempDir(), "none.yaml"), "T_", nil, nil), os.ErrNotExist)
	assert.NoError(t, Load("", "T_", []string{strings.ToLower("T_SIZE=x")}, nil), "the prefix counts")
}
