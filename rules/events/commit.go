package events

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/rules/netting"
)

// A transaction becomes visible in steps: a small one in one, of a large one so much at a time that the caller can load,
// commit and hand over in between. A commit in the middle holds, as a record, how many net changes of each table are
// applied; when the transaction is read again after a crash, they are passed over. They are counted by table, so the
// count is right though other tables are watched by then.

const (
	stepChanges = 1000 // a step ends behind so many changes
	stepBytes   = 1 << 20
)

// applying is the transaction that is becoming visible. Deletes come last, for a delete closes what is open of its
// object, and one event names many.
type applying struct {
	to      *translator
	net     netting.Changes // nil: none is
	steps   int             // so far
	later   bool            // there are deletes
	turn    bool            // it is their turn
	tables  map[tablePart]*progress
	deletes deletes
	misfits bool // some rows do not fit a part of a site that is here still, and fit another

	again  *progressRecord            // a transaction that was applied in part before a restart
	stored bool                       // the last commit holds a progressRecord
	key    string                     // of that
	apart  map[string]*progressRecord // of stored engines that are not split off yet, by their site
}

func newApplying(key string, to *translator) applying {
	return applying{
		to: to, tables: map[tablePart]*progress{}, key: key, apart: map[string]*progressRecord{}, deletes: newDeletes(to),
	}
}

// tablePart is a table as one entity sees it.
type tablePart struct {
	table  cdc.TableName
	custom string // the entity of a custom rule; empty: the plugin's
}

// part is what a binding sees of its table.
func (b *binding) part(t cdc.TableName) tablePart {
	if b.entity != nil && b.entity.Custom {
		return tablePart{t, b.entity.Name}
	}
	return tablePart{table: t}
}

// progress is how far the net changes of a table are applied.
type progress struct {
	n    int // the number of the current change
	skip int // those up to here were applied before
	done int // those up to here are in events
}

// progressRecord is progress as stored.
type progressRecord struct {
	Txn    string          `json:"txn"`
	Tables []tableProgress `json:"tables"`
}

type tableProgress struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Custom string `json:"custom,omitempty"`
	Done   int    `json:"done"`
}

// Commit makes the gathered changes visible as one transaction that was read at now. Of a large one only the beginning:
// while Applying says so, Step must be called before anything else is handed in.
func (e *Engine) Commit(c *cdc.Commit, now time.Time) error {
	e.windows.begin(c, now)
	e.translator.restores.begin(e.catalog, c)
	net, err := e.net.Take()
	if err != nil {
		return fmt.Errorf("transaction %s: %w", c.Txn.ID(), err)
	}
	e.work.begin(net, c.Txn.ID())
	return e.Step()
}

// Applying says whether the last transaction is applied in part only.
func (e *Engine) Applying() bool { return e.work.net != nil }

// Step applies more of a large transaction.
func (e *Engine) Step() error {
	more, err := e.work.step()
	if err == nil && !more {
		err = e.work.end()
		e.translator.restores.discard(0)
	}
	if err != nil {
		return fmt.Errorf("transaction %s: %w", e.windows.txn.Txn.ID(), err)
	}
	e.windows.settle(e.work.steps == 1, more)
	return nil
}

// begin takes in the net changes of a transaction.
func (w *applying) begin(net netting.Changes, txn string) {
	w.net, w.steps, w.later, w.turn = net, 0, false, false
	clear(w.tables)
	if w.again != nil && w.again.Txn == txn {
		for _, t := range w.again.Tables {
			w.tables[tablePart{cdc.TableName{Schema: t.Schema, Name: t.Name}, t.Custom}] = &progress{skip: t.Done, done: t.Done}
		}
	}
	w.again = nil
}

// end lets go of them: all are applied.
func (w *applying) end() error {
	err := w.net.Close()
	w.net, w.misfits = nil, false
	return err
}

// step applies net changes until a step is full, or all are.
func (w *applying) step() (more bool, err error) {
	w.steps++
	for changes, bytes := 0, 0; changes < stepChanges && bytes < stepBytes; {
		t, op, ok, err := w.net.Next()
		switch {
		case err != nil:
			return false, err
		case !ok && w.later && !w.turn:
			w.turn = true
			if err := w.net.Again(); err != nil {
				return false, err
			}
			continue
		case !ok:
			w.deletes.end()
			return false, nil
		}
		for _, b := range w.to.catalog.bound(t) {
			size, err := w.apply(b, t, op)
			if err != nil {
				return false, fmt.Errorf("table %s: %w", t, err)
			}
			if size > 0 {
				changes, bytes = changes+1, bytes+size
			}
		}
	}
	return true, nil
}

// apply applies the current net change as far as a binding of its table is concerned, and tells how many bytes its rows
// take; 0 when it is not its turn, or was applied before.
func (w *applying) apply(b *binding, t *cdc.Table, op cdc.Op) (size int, err error) {
	last, both := b.role == rootRow && op == cdc.Delete, b.keyed() && op == cdc.Update
	if w.later = w.later || last || both; last != w.turn && !both {
		return 0, nil
	}
	p := w.progress(b.part(t.TableName))
	if p.n++; p.n <= p.skip {
		return 0, nil
	}
	c, err := w.net.Change()
	if err != nil {
		return 0, err
	}
	if w.to.statements.parts, err = w.net.Parts(); err != nil {
		return 0, err
	}
	if w.leavesOut(b, c) {
		p.done = p.n
		return 1, nil
	}
	w.to.windows.row = p.n
	if both && w.turn && !w.to.leaves(b, c) {
		return 1, nil
	}
	if both {
		c = b.moved(c, w.turn)
	}
	if w.turn {
		w.deletes.apply(b, c, p)
	} else {
		err = w.to.apply(b, c)
		p.done = p.n
	}
	return max(1, c.Before.Size()+c.After.Size()), err
}

// leavesOut says whether a net change does not fit a part of a site, and is here for another.
func (w *applying) leavesOut(b *binding, c *cdc.Change) bool {
	return w.misfits && b.fits(w.to.catalog, c) != nil
}

func (w *applying) progress(t tablePart) *progress {
	p := w.tables[t]
	if p == nil {
		p = &progress{}
		w.tables[t] = p
	}
	return p
}

// progressKey is the record of a transaction that is applied in part.
const progressKey = progressPrefix + "txn"

// take is the record that a commit in the middle of a transaction must hold, or the deletion of the last one.
func (w *applying) take(txn string) []Record {
	switch {
	case w.net != nil:
		r := progressRecord{Txn: txn}
		for t, p := range w.tables {
			r.Tables = append(r.Tables, tableProgress{t.table.Schema, t.table.Name, t.custom, max(p.done, p.skip)})
		}
		slices.SortFunc(r.Tables, func(a, b tableProgress) int {
			return cmp.Or(strings.Compare(a.Schema, b.Schema), strings.Compare(a.Name, b.Name), strings.Compare(a.Custom, b.Custom))
		})
		w.stored = true
		return []Record{{Key: w.key, Data: encodeRecord(r)}}
	case w.stored && w.again == nil:
		w.stored = false
		return []Record{{Key: w.key}}
	}
	return nil
}

// restore takes in a record.
func (w *applying) restore(r Record) error {
	p := &progressRecord{}
	if site, apart := strings.CutPrefix(r.Key, apartPrefix); apart {
		w.apart[site] = p
	} else {
		w.again, w.stored = p, true
	}
	return decodeRecord(r.Data, p)
}
