package loader

import (
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// quirks are what a full payload shows that is not in the row. The plugin passes a loaded row through the code that
// prepares one for saving (FINDINGS 3); with its fidelity the values are what comes out, else they are as committed and
// only typed so.
type quirks struct {
	on  bool
	set *lookupSet // settings; nil when no column of the entity needs them
	now time.Time
}

// fullBody is the row, every column, each a string as the plugin has it but for the few it computes.
func fullBody(entity *rules.Entity, r record, q quirks) []byte {
	is := rendererOf(entity)
	b := make([]byte, 0, bodySize(r))
	b = append(b, '{')
	for i, name := range r.table.Columns {
		if !r.row.Shows(i) {
			continue
		}
		b = appendKey(b, name)
		if q.on && is.quirk != nil {
			if value := is.quirk(q, r, name); value != "" {
				b = append(b, value...)
				continue
			}
		}
		if r.row.Kind(i) <= cdc.Null || is.number != nil && is.number(r, name, q.set) {
			b = appendNative(b, r.row, i)
		} else {
			b = appendText(b, r.row, i)
		}
	}
	return append(b, '}')
}

// bodySize is about what a row takes in JSON, in bytes. Of a large one it is never less: to grow a body of many megabytes
// would be to copy it. To look at each letter of a small one takes longer than to grow it the few times that it must be.
func bodySize(r record) int {
	const small = 16 << 10
	n := 2
	if r.table == nil {
		return n
	}
	for _, name := range r.table.Columns {
		n += len(name) + len(`"":null,`)
	}
	if size := r.row.Size(); size <= small {
		return n + size
	}
	for i := range r.table.Columns {
		n += jsonSize(r.row, i)
	}
	return n
}
