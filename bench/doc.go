// Command bench measures what the event store costs, beside stock collectors on the same machine in
// the same run, and how fast it is read. `make bench-peers` builds what it needs and runs it;
// README.md says what each figure means.
package main
