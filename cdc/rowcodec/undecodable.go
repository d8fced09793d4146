package rowcodec

import "fmt"

// UndecodableError is a column of a watched table whose values nothing can make readable: not the log, not the schema.
type UndecodableError struct {
	what   string // what the column is: "of type 200"
	to     string // what it could be instead, behind "MODIFY the column to"
	Number int    // of the column from 1, where its name is not known
}

func (e *UndecodableError) Error() string { return e.what + ", which rowhook cannot read" }

// Hint says what to do.
func (e *UndecodableError) Hint() string {
	return fmt.Sprintf("ALTER TABLE ... MODIFY the column to %s; what is logged already cannot be read", e.to)
}
