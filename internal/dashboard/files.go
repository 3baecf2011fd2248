package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed assets
var assets embed.FS

// imports are the modules that the page's own ones name without a path.
const imports = `{"imports":{"preact":"./ASSETS/vendor/preact.mjs","preact/hooks":"./ASSETS/vendor/preact-hooks.mjs",` +
	`"htm":"./ASSETS/vendor/htm.mjs","uplot":"./ASSETS/vendor/uplot.mjs"}}`

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
}

// site is the page, ready to be sent.
type site struct {
	document *file
	policy   string
	files    map[string]*file // by path below prefix, which starts with the hash of them all
}

// file is one response.
type file struct {
	plain, gzipped []byte
	contentType    string
	etag           string
}

// page is built at the first request: compressing takes longer than a collector should need to
// start.
var page = sync.OnceValue(func() *site {
	contents, err := load()
	if err != nil {
		panic(err) // the files are part of the program
	}
	version := versionOf(contents)
	s := &site{files: make(map[string]*file, len(contents))}
	var preloads strings.Builder
	for _, name := range sortedNames(contents) {
		if name == "index.html" || contentTypes[path.Ext(name)] == "" {
			continue
		}
		s.files[version+"/"+name] = newFile(name, contents[name])
		if ext := path.Ext(name); ext == ".js" || ext == ".mjs" {
			fmt.Fprintf(&preloads, "<link rel=\"modulepreload\" href=\"ASSETS/%s\">\n", name)
		}
	}
	located := strings.NewReplacer("ASSETS", "assets/"+version)
	importMap := located.Replace(imports)
	document := strings.NewReplacer("PRELOADS", located.Replace(strings.TrimSpace(preloads.String())), "IMPORTS", importMap,
		"ASSETS", "assets/"+version).Replace(string(contents["index.html"]))
	s.document = newFile("index.html", []byte(document))
	// Scripts come from the page's own server only, and none can be made from text: what
	// events contain cannot run.
	s.policy = fmt.Sprintf("default-src 'none'; script-src 'self' '%s'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		hashSource(importMap))
	return s
})

func load() (map[string][]byte, error) {
	contents := map[string][]byte{}
	err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		contents[strings.TrimPrefix(name, "assets/")], err = assets.ReadFile(name)
		return err
	})
	return contents, err
}

func sortedNames(contents map[string][]byte) []string {
	names := make([]string, 0, len(contents))
	for name := range contents {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// versionOf is a hash of all files, so that browsers may keep each of them for ever.
func versionOf(contents map[string][]byte) string {
	sum := sha256.New()
	for _, name := range sortedNames(contents) {
		fmt.Fprintf(sum, "%s %d\n", name, len(contents[name]))
		sum.Write(contents[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func newFile(name string, content []byte) *file {
	var compressed bytes.Buffer
	w, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	sum := sha256.Sum256(content)
	return &file{
		plain: content, gzipped: compressed.Bytes(), contentType: contentTypes[path.Ext(name)],
		etag: `W/"` + hex.EncodeToString(sum[:8]) + `"`,
	}
}

// hashSource is a source expression (CSP Level 3, section 2.3.1) for an inline text.
func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
