package loader

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// The plugin's texts are short. A table that somebody altered may hold more than a payload may, and more than memory should.
// So a query leaves large texts out and tells their sizes. Where there are some, their event is loaded by itself, and as
// many of them are read as its payload has room for.

const (
	// longText is from which size on a text is left out at first, in bytes of UTF-8: more than the plugin's own columns can
	// hold. shortText is the same for an event whose rows are too many for that.
	longText  = 64 << 10
	shortText = 4 << 10
	// fewTexts is how many TEXT columns a table may have whose rows are read as they are.
	fewTexts = 16
	// rowRoom is what of a packet a row's other columns may take, in bytes.
	rowRoom = 64 << 10
)

// cell names a value of a table.
type cell struct {
	table  cdc.TableName
	key    rules.Key
	column string
}

// sized is a text that was left out, and how long it would be in JSON, in bytes, but for escapes.
type sized struct {
	cell
	size int
}

// bounds are which texts a snapshot reads. The zero bounds leave all of more than 0 bytes out.
type bounds struct {
	limit int           // in bytes; larger ones are left out
	kept  map[cell]bool // but for these
	most  int           // bytes that may be read without them
}

// layout is what is known of a table's columns: how each is selected, and which may hold more than longText together.
type layout struct {
	columns []schema.Selected
	texts   []int // positions of those that may hold a long text
	large   bool  // a row of theirs may be large
}

// layouts knows the tables that were read.
type layouts struct {
	mu     sync.Mutex
	tables map[cdc.TableName]*layout
	epoch  int // changes when tables may have other columns
}

// altered says that tables may have other columns: the log has a statement that may have changed them.
func (l *Loader) altered() {
	l.layouts.forget()
	l.shared.forget()
}

func (k *layouts) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.tables)
	k.epoch++
}

// layout is that of a table: as it is remembered, else as the server says.
func (s *snapshot) layout(ctx context.Context, name cdc.TableName) (*layout, error) {
	known := s.layouts
	known.mu.Lock()
	is, ok := known.tables[name]
	epoch := known.epoch
	known.mu.Unlock()
	if ok {
		return is, nil
	}
	s.queries++
	columns, err := schema.SelectAll(ctx, s.conn.Conn, s.mariaDB, name, s.client)
	if err != nil {
		return nil, err
	}
	is = &layout{columns: columns}
	for i, c := range columns {
		if c.Size != "" {
			is.texts = append(is.texts, i)
			is.large = is.large || c.Long
		}
	}
	is.large = is.large || len(is.texts) > fewTexts
	known.mu.Lock()
	defer known.mu.Unlock()
	if epoch == known.epoch {
		if known.tables == nil {
			known.tables = map[cdc.TableName]*layout{}
		}
		known.tables[name] = is
	}
	return is, nil
}

// all reads rows of a table, with every column; condition is what follows WHERE.
func (s *snapshot) all(ctx context.Context, table cdc.TableName, condition string) ([]record, error) {
	layout, err := s.layout(ctx, table)
	if err != nil {
		return nil, s.failed(ctx, table, fmt.Errorf("its columns: %w", err))
	}
	texts := layout.texts
	if !layout.large && s.limit >= longText {
		texts = nil
	}
	list := make([]string, len(layout.columns), len(layout.columns)+len(texts))
	for i, c := range layout.columns {
		list[i] = c.SQL
	}
	for _, i := range texts {
		c := layout.columns[i]
		out := fmt.Sprintf("%s > %d", c.Size, s.limit)
		if kept := s.keptOf(table, c.Name); len(kept) > 0 && s.keys[table] != nil {
			out = "FALSE" // of a custom rule's table one row is read
		} else if len(kept) > 0 {
			out += " AND `id` NOT IN (" + idList(kept) + ")"
		}
		list[i] = "IF(" + out + ", NULL, " + c.SQL + ")"
		list = append(list, "IF("+out+", "+c.Size+", 0)")
	}
	records, err := s.read(ctx, table, "SELECT "+strings.Join(list, ", ")+" FROM "+quoted(table)+" WHERE "+condition, layout.columns, texts)
	if isNoColumn(err) || isAltered(err) {
		s.layouts.forget() // it is asked again
	}
	return records, err
}

// keptOf are the rows of which a column is read whatever its size.
func (b *bounds) keptOf(table cdc.TableName, column string) (ids []int64) {
	for c := range b.kept {
		if c.table == table && c.column == column {
			id, _ := c.key.Number()
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// fit is which of the texts there is room for: the largest are left out first, of equal ones the last.
func fit(left []sized, room int) map[cell]bool {
	left = slices.Clone(left)
	slices.SortStableFunc(left, func(a, b sized) int { return a.size - b.size })
	kept := map[cell]bool{}
	for _, t := range left {
		if room -= t.size; room < 0 {
			break
		}
		kept[t.cell] = true
	}
	return kept
}

// loadLarge is Load for one event with large texts. It is done for one event at a time, for the sake of memory.
func (l *Loader) loadLarge(ctx context.Context, ev *rules.Event) ([]Payload, error) {
	select {
	case l.large <- struct{}{}:
		defer func() { <-l.large }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	snap, err := l.snapshot(ctx, ev)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", ev, err)
	}
	defer snap.close(ctx)
	o, left, err := l.measure(ctx, snap, ev)
	if err != nil {
		return nil, err
	}
	room := 0
	if err := snap.conn.QueryRowContext(ctx, "SELECT @@max_allowed_packet").Scan(&room); err != nil {
		return nil, fmt.Errorf("loading %s: %w", ev, err)
	}
	room = min(l.opts.MaxPayload, room-rowRoom)
	return l.compose(ev, o, func(load rules.Load) (Payload, error) {
		o := o
		shown := slices.DeleteFunc(slices.Clone(left), func(t sized) bool { return !l.shows(ev, load, t.cell) })
		if snap.kept = fit(shown, room); len(snap.kept) > 0 {
			objects, err := l.objects(ctx, snap, []*rules.Event{ev})
			if err != nil {
				return Payload{}, err
			}
			_, _ = snap.conn.ExecContext(ctx, "DO 0") // makes the driver let go of what it read; an error comes again
			debug.FreeOSMemory()
			o = objects[0].completed(ev)
		}
		return l.fitted(ev, o, load)
	})
}

// measure reads an event's rows without large texts, and tells those.
func (l *Loader) measure(ctx context.Context, snap *snapshot, ev *rules.Event) (o object, left []sized, err error) {
	snap.most = l.opts.MaxPayload
	for _, snap.limit = range []int{longText, shortText} {
		var objects []object
		if objects, err = l.objects(ctx, snap, []*rules.Event{ev}); err == nil {
			return objects[0], snap.left, nil
		}
		if !errors.Is(err, errTooMuch) {
			break
		}
	}
	return object{}, nil, err
}

// shows says whether an event's payload may show a value that was read for it. Of an order extended payloads may not
// show every column.
func (m *maker) shows(ev *rules.Event, load rules.Load, c cell) bool {
	entity := ev.Action.Entity
	is := rendererOf(entity)
	if load != rules.Extended || is.elsewhere == nil || c.table != entity.TableOf(ev.Site) {
		return true
	}
	return is.nested(c.column) || c.key == ev.IDs[0] && !is.elsewhere(c.column)
}
