package mysql

import "context"

// Finding is what Check found out about one thing that the outbox needs.
type Finding struct {
	Name  string // what was looked at: "version", "max_allowed_packet"
	Found string // what it is
	Fix   string // what to type, where something is to be done
	Grade Grade
}

// Grade says how a Finding is to be taken.
type Grade uint8

// Grades of a Finding.
const (
	OK   Grade = iota
	Warn       // it works, but loses something that a person may want
	Fail       // it does not work
)

// Check looks at the server that Open would use, and changes nothing. An error of the connection is a Finding, too.
func Check(ctx context.Context, cfg Config) []Finding {
	return []Finding{{Name: "server", Found: errNotBuilt.Error(), Grade: Fail}}
}
