package netting

import (
	"slices"

	"rowhook/cdc"
)

// Carry is the image after a change of a row, completed from an older image of it. Of an inserted row's blobs and of what
// the server computes neither image of an update may show anything: there the older value need not hold, and is left out.
func Carry(older cdc.Row, inserted bool, c *cdc.Change) cdc.Row {
	if older.Len() != c.After.Len() || c.Op != cdc.Update || c.After.Whole() || inserted && showsMore(c) {
		return c.After
	}
	return c.After.Fill(older, func(int) bool { return true })
}

// showsMore says whether the image before a change shows more than the key: then what it lacks is no default.
func showsMore(c *cdc.Change) bool {
	for i := range c.Before.Len() {
		if c.Before.Shows(i) && !slices.Contains(c.Table.Key, i) {
			return true
		}
	}
	return false
}
