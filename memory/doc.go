// Package memory measures the resident memory of the daemon, as a process beside a real server, where most of it is
// asked for: transactions of a million rows, a row of 64 MB, a backlog of gigabytes. `make memory` runs it.
package memory
