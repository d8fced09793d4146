package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"rowhook/cdc"
)

// Event is what a rule may want: a save, a status change or a delete of one aggregate (a delete may name several).
// Package events owns it while it is open. When it is closed nobody changes it any more.
type Event struct {
	Site   *Site
	Action Action
	IDs    []Key  // the object's key; of a delete all of them, in the order of the log
	Insert bool   // the save made the object
	Status string // of a status change: the status

	// Table and Row are the newest image the log showed: of a save the object, of a status change the history row, of a
	// delete the first object as it was. Row is empty when the log did not show it: a save that only an option or an
	// item made, a status that changed without a history row.
	Table   *cdc.Table
	Row     cdc.Row
	Before  cdc.Row // the row before the first change that updated it, of Table; of custom rules' tables, and where a Shape wants it
	Changed []bool  // of a save that did not insert: the columns that changed, by position
	Named   []bool  // of a save: the columns that its statements name, by position; nil when they are not known

	// Passed is, with the plugin's fidelity, what the statements of a save or of a row of the history gave columns that keep
	// less of it, by position: of columns of numbers a number, of others a text.
	Passed map[int]string

	// OrderTable and Order are, of a status change, the newest image the log showed of the order itself; empty when it
	// showed none. An order that is deleted before it is loaded is delivered so.
	OrderTable *cdc.Table
	Order      cdc.Row

	Restored *Restore // of that kind: what came back

	First First     // what the id is derived from
	Last  cdc.Coord // the end of the last transaction in it: a snapshot must contain it; zero: any will do (see Detach)
	GTID  string    // that transaction's GTID, empty on a server without
	Time  time.Time // when that was committed

	Rules []*Rule // who wants it; set when it closes

	Backfill string // of a save that a backfill made: the rule it is for; the object is as it was, not just inserted

	Number  uint64 // of its record, in the order of first changes
	Closing uint64 // its place among those that closed, 0 while it is open
	Weight  int    // about how many bytes it takes
}

// First is the first change of an event: its transaction, table and primary key.
type First struct {
	Txn string
	// Committed is when the transaction was committed where it was made, in microseconds: a server that was set back to a
	// snapshot gives the same GTIDs and offsets again, to other transactions. 0 where there is none: of a backfill, and of
	// events that were stored before ids took it in, some of which have a Hash in its place.
	Committed int64  `json:",omitempty"`
	Hash      uint64 `json:",omitempty"`
	Table     cdc.TableName
	Key       string
}

// key names one aggregate of the event for ordering: salon/appointment/12.
func (e *Event) key(id Key) string {
	if e.Restored != nil {
		return e.Site.Name + "/" + e.Action.Entity.Name + "/" + e.Action.Kind.String()
	}
	return e.Site.Name + "/" + e.Action.Entity.Name + "/" + string(id)
}

// Keys names the aggregates of the event: salon/appointment/12.
func (e *Event) Keys() []string {
	keys := make([]string, len(e.IDs))
	for i, id := range e.IDs {
		keys[i] = e.key(id)
	}
	return keys
}

// DeliveryID is the id of the event's delivery for a rule. It depends on nothing that a crash, a retry or a restart
// could change (DESIGN 3), and is the same on every replica.
func (e *Event) DeliveryID(source string, rule string) [16]byte {
	h := make([]byte, 0, 256)
	for _, s := range [...]string{source, e.First.Txn, e.First.Table.Schema, e.First.Table.Name, e.First.Key, e.Action.String(), rule} {
		h = append(h, s...)
		h = append(h, 0)
	}
	if e.First.Committed != 0 {
		h = binary.BigEndian.AppendUint64(h, uint64(e.First.Committed))
	}
	if e.First.Hash != 0 {
		h = binary.BigEndian.AppendUint64(h, e.First.Hash)
	}
	sum := sha256.Sum256(h)
	return [16]byte(sum[:16])
}

// Wants says whether the rule wants an event, as far as the log shows it. Where the status to look at is not in the log (the row
// is not, or the plugin looks at the object as loaded), one with statuses does: the loader asks WantsStatus once it knows.
func (r *Rule) Wants(e *Event, plugin bool) bool {
	if r.Action.Kind == Told {
		return e.Restored != nil && r.WantsTold(toldAll, e.Site.Name)
	}
	if !r.Action.Entity.Is(e.Action.Entity) || !r.For(e.Site) {
		return false
	}
	if r.Action.Kind == Rows {
		return r.wantsRow(e)
	}
	if r.Action.Kind != e.Action.Kind {
		return false
	}
	switch e.Action.Kind {
	case StatusChange:
		return r.WantsStatus(e.Status)
	case Save:
		if e.Backfill == "" && (r.Type == InsertOnly && !e.Insert || r.Type == UpdateOnly && e.Insert) {
			return false
		}
		if e.Row.Len() == 0 || len(r.Statuses) == 0 {
			return true
		}
		switch status := e.Table.Index("status"); {
		case !plugin && e.Row.Kind(status) == cdc.Absent: // the loader decides
			return true
		case !plugin, e.Backfill != "" && r.Load == Basic:
			return r.WantsStatus(e.Row.Text(status))
		case r.Load == Basic: // the plugin looks at what was saved
			return status < len(e.Named) && e.Named[status] && r.WantsStatus(e.Row.Text(status))
		}
		return true // the plugin looks at the object as loaded
	}
	return true
}

// Undecided says that the log alone does not tell whether the rule wants the event: it has statuses, and the status to
// compare is only known when the object is loaded. The loader asks WantsStatus then.
func (r *Rule) Undecided(e *Event, plugin bool) bool {
	return e.Action.Kind == Save && len(r.Statuses) > 0 && (e.Row.Len() == 0 || plugin && r.Load != Basic)
}

// WantsStatus says whether the rule's statuses let this one pass.
func (r *Rule) WantsStatus(status string) bool {
	return len(r.Statuses) == 0 || r.Statuses[status]
}

// Key is where the columns of its objects' keys stand in its table. None: the table has no key.
func (e *Event) Key() []int { return e.Action.Entity.KeyOf(e.Table) }

// String describes the event for logs.
func (e *Event) String() string {
	return fmt.Sprintf("%s %v of site %s", e.Action, e.IDs, e.Site.Name)
}

// Restore is what came back into the tables of a site. Its JSON is stored and posted.
type Restore struct {
	Tables map[string]int `json:"tables"` // rows by table, named without its prefix
	From   time.Time      `json:"from"`   // when the first and the last transaction of it were committed
	To     time.Time      `json:"to"`
}
