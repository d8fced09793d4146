//go:build crash

package sqlite

import "rowhook/outbox/sqlite/fault"

// vfsQuery chooses files that fail when the environment says so.
func vfsQuery() string { return fault.Query() }
