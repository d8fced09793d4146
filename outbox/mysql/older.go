package mysql

import (
	"errors"
	"slices"
	"time"
)

// older watches for a holder of a version that knows of no members: one that stood by since before the schema was upgraded. It
// delivers to all endpoints, so nobody else may.
type older struct {
	name  string
	since time.Time
}

// errOlder is why a member is one no more.
var errOlder = errors.New("it is of an older version, which shares endpoints with nobody: upgrade it")

// look tells for how long the holder has had no row among the processes. Those of this version have theirs as long as the lease.
func (o *older) look(v *view, now time.Time) time.Duration {
	owner := v.holder.owner
	if owner == "" || slices.ContainsFunc(v.citizens, func(c citizen) bool { return c.name == owner }) {
		owner = ""
	}
	if owner == "" || owner != o.name {
		o.name, o.since = owner, now
	}
	return now.Sub(o.since)
}
