// Package eventlog maps log records of pdata to events and back, by the rules of package event.
//
// Canonicalize gives a record its id, type, time and source. Ref.Event converts a canonical record
// to an event, and AppendRecord an event to a canonical record, without loss. docs/architecture.md
// has the table of what goes where.
package eventlog
