package events

import (
	"strconv"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// applyRelay makes an event of a row that the relay wrote. It is over with its transaction: nothing belongs to it that could come.
func (t *translator) applyRelay(b *binding, c *cdc.Change) {
	agg := t.windows.objectOf(b, c.After)
	if c.Op != cdc.Insert || !t.catalog.wants(agg, rules.Fired) {
		return
	}
	ev := t.windows.newEvent(agg, rules.Fired, c)
	ev.Row = c.After
	t.windows.mark(ev)
	t.windows.close(ev)
}

// relayDelay is how long before its transaction is committed the relay writes a row at most.
const relayDelay = time.Hour

// isFresh says whether the relay wrote a row just now: its id begins with the time, the seconds in eight hexadecimal digits.
// Others come out of a backup.
func (t *translator) isFresh(c *cdc.Change) bool {
	id := c.After.Text(c.Table.Index("id"))
	seconds, err := strconv.ParseInt(id[:min(8, len(id))], 16, 64)
	return err != nil || t.windows.txn.Time.Sub(time.Unix(seconds, 0)).Abs() < relayDelay
}
