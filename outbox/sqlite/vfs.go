//go:build !crash

package sqlite

// vfsQuery is what SQLite's URI says of the file system: nothing, it is the system's. With the tag crash it is one that
// fails on wish.
func vfsQuery() string { return "" }
