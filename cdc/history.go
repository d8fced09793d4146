package cdc

// SchemaPrefix begins the key of every SchemaRecord. The records are true at the position that they were stored with
// and at no other: whoever accepts another position deletes them all.
const SchemaPrefix = "s"

// SchemaRecord is what is known of a table's columns at a position of the log, for the commit that stores the position.
// Data nil deletes it.
type SchemaRecord struct {
	Key  string
	Data []byte
}
