// Package eventlog maps OpenTelemetry log records to events and back.
//
// Canonicalize gives a record its id, type, time and source. Ref.Event makes an event of a
// canonical record, AppendRecord a canonical record of an event; neither loses anything.
// docs/architecture.md has the table of what goes where.
package eventlog
