// Package eventstoreexporter keeps events and serves them over HTTP: in batches, and
// counted. README.md describes its configuration and its API.
package eventstoreexporter

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
