package netting

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/scratch"
)

// A large transaction is netted by sorting, twice: what happened to each key comes together, in the order it happened,
// and is folded into one effect; the effects are sorted back into the order of each key's first change. References are
// offsets in the spool, so they have the order of the changes.

// putTuple is a put, sorted by key and then by its place: key 16, ref 8, what 1, hash of the statement 8, table 4.
func putTuple(key [16]byte, ref int64, what putKind, text uint64, table int) (v tuple) {
	copy(v[:], key[:])
	binary.BigEndian.PutUint64(v[16:], uint64(ref))
	v[24] = byte(what)
	binary.BigEndian.PutUint64(v[25:], text)
	binary.BigEndian.PutUint32(v[33:], uint32(table))
	return v
}

func (v *tuple) key() [16]byte { return [16]byte(v[:16]) }
func (v *tuple) ref() int64    { return int64(binary.BigEndian.Uint64(v[16:])) }
func (v *tuple) put() put      { return put{v.ref(), putKind(v[24])} }
func (v *tuple) text() uint64  { return binary.BigEndian.Uint64(v[25:]) }
func (v *tuple) table() uint32 { return binary.BigEndian.Uint32(v[33:]) }

// effectTuple is an effect as a tuple. Tuples sort by their bytes, so the first fields are the order: the place of the
// effect's first change, and then what that change did to this key. Two effects may have the same first change: an update
// that moves a row to another key removes one and makes one, and the removal comes first. The fields and their bytes are
// first 8, what 1, before 8, after 8, table 4, mixed 1, removed 8.
func effectTuple(o *effect, what putKind, table uint32) (v tuple) {
	binary.BigEndian.PutUint64(v[:], uint64(o.first))
	v[8] = byte(what)
	binary.BigEndian.PutUint64(v[9:], uint64(o.before))
	binary.BigEndian.PutUint64(v[17:], uint64(o.after))
	binary.BigEndian.PutUint32(v[25:], table)
	if o.mixed {
		v[29] = 1
	}
	binary.BigEndian.PutUint64(v[30:], uint64(o.removed))
	return v
}

func (v *tuple) effect() (o effect, table int) {
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(v[i:])) }
	return effect{first: at(0), before: at(9), after: at(17), mixed: v[29] == 1, removed: at(30)}, int(binary.BigEndian.Uint32(v[25:]))
}

// spoolNet are the net changes of a transaction that was spooled.
type spoolNet struct {
	s       *spool
	effects *tupleFile // as sorted runs
	merge   *merge
	current effect
	table   *cdc.Table
	in      pieces
	text    string // the statement at textAt
	textAt  int64
	made    cdc.Change
}

// net ends the gathering, and closes the spool when it fails.
func (s *spool) net() (Changes, error) {
	n := &spoolNet{s: s, in: pieces{file: s.file}}
	if err := n.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("netting a large transaction: %w", err), n.Close())
	}
	return n, nil
}

func (n *spoolNet) prepare() (err error) {
	if err := n.s.flush(); err != nil {
		return err
	}
	puts, err := n.s.puts.sorted(n.s.scratch)
	if puts != nil {
		defer func() { err = errors.Join(err, puts.close()) }()
	}
	if err != nil {
		return err
	}
	effects, err := newTupleFile(n.s.scratch)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, effects.close()) }()
	if err := n.foldAll(puts, effects); err != nil {
		return err
	}
	if n.effects, err = effects.sorted(n.s.scratch); err != nil {
		return err
	}
	return n.Again()
}

// foldAll makes one effect of all puts of a key, unless its row came and went.
func (n *spoolNet) foldAll(puts, effects *tupleFile) error {
	m, err := puts.merge()
	if err != nil {
		return err
	}
	var first tuple
	var o effect
	open := false
	for {
		v, more, err := m.next()
		if err != nil {
			return err
		}
		if open && (!more || v.key() != first.key()) {
			if o.op() != 0 {
				e := effectTuple(&o, first.put().what, first.table())
				if err := effects.add(&e); err != nil {
					return err
				}
			}
			open = false
		}
		if !more {
			return nil
		}
		if !open {
			open, first, o = true, v, newEffect(v.put())
		}
		o.mixed = o.mixed || v.text() != first.text()
		if what := v.put().what; what == completes && o.after != none || o.continues(what) {
			if err := n.link(v.ref(), o.after); err != nil {
				return err
			}
		}
		o.fold(v.put())
	}
}

// link notes which change of a row came before another, whose image that completes.
func (n *spoolNet) link(at, older int64) error {
	_, err := n.s.file.WriteAt(binary.BigEndian.AppendUint64(nil, uint64(older)+1), at+olderAt)
	return err
}

func (n *spoolNet) Next() (*cdc.Table, cdc.Op, bool, error) {
	v, ok, err := n.merge.next()
	if err != nil || !ok {
		return nil, 0, false, err
	}
	var table int
	n.current, table = v.effect()
	n.table = n.s.tables[table]
	return n.table, n.current.op(), true, nil
}

func (n *spoolNet) Change() (*cdc.Change, error) {
	n.made = cdc.Change{Table: n.table, Op: n.current.op()}
	if err := n.read(); err != nil {
		return nil, fmt.Errorf("reading a large transaction back: %w", err)
	}
	return &n.made, nil
}

func (n *spoolNet) read() (err error) {
	o := &n.current
	if o.before != none {
		if n.made.Before, err = n.row(o.before, false); err != nil {
			return err
		}
	}
	if o.after != none {
		if n.made.After, err = n.after(o.after, o.before == none); err != nil {
			return err
		}
	}
	if o.mixed {
		return nil
	}
	h, err := n.head(o.first)
	if err != nil {
		return err
	}
	n.made.Statement, err = n.statement(h)
	return err
}

// statement is the text under which a change was logged.
func (n *spoolNet) statement(h spooled) (string, error) {
	if h.text == 0 {
		return "", nil
	}
	if n.textAt != h.textAt {
		text := make([]byte, h.text)
		if _, err := n.s.file.ReadAt(text, h.textAt); err != nil {
			return "", err
		}
		n.text, n.textAt = string(text), h.textAt
	}
	return n.text, nil
}

func (n *spoolNet) Parts() ([]cdc.Change, error) {
	o := &n.current
	if !o.mixed {
		return nil, nil
	}
	var parts []cdc.Change
	for at := o.final(); at != none; {
		if len(parts) == maxParts {
			return nil, nil
		}
		c, older, err := n.part(at)
		if err != nil {
			return nil, fmt.Errorf("reading a large transaction back: %w", err)
		}
		parts, at = append(parts, c), older
	}
	slices.Reverse(parts)
	return parts, nil
}

// part is one change as it was logged, completed by those before it, and where the one before is; none when none is.
func (n *spoolNet) part(at int64) (c cdc.Change, older int64, err error) {
	h, err := n.head(at)
	if err != nil {
		return c, none, err
	}
	c = cdc.Change{Table: n.table, Op: h.op}
	if c.Statement, err = n.statement(h); err != nil {
		return c, none, err
	}
	if h.before > 0 {
		if c.Before, err = n.row(at, false); err != nil {
			return c, none, err
		}
	}
	if h.after > 0 {
		c.After, err = n.after(at, n.current.before == none)
	}
	return c, h.older - 1, err
}

func (n *spoolNet) head(at int64) (spooled, error) {
	b, err := n.in.at(at, spooledSize)
	if err != nil {
		return spooled{}, err
	}
	return parseSpooled(b), nil
}

// after reads the image after a change, completed like carry does it.
func (n *spoolNet) after(at int64, inserted bool) (cdc.Row, error) {
	row, err := n.row(at, true)
	for err == nil && !row.Whole() {
		var h spooled
		if h, err = n.head(at); err != nil || h.older == 0 {
			break
		}
		if inserted {
			c := cdc.Change{Table: n.table}
			if c.Before, err = n.row(at, false); err != nil || showsMore(&c) {
				break
			}
		}
		var older cdc.Row
		at = h.older - 1
		if older, err = n.row(at, true); err == nil && older.Len() == row.Len() {
			row = row.Fill(older, func(int) bool { return true })
		}
	}
	return row, err
}

// row reads one of a change's images.
func (n *spoolNet) row(at int64, after bool) (cdc.Row, error) {
	h, err := n.head(at)
	if err != nil {
		return cdc.Row{}, err
	}
	start, size := at+spooledSize, h.before
	if after {
		start, size = start+int64(h.before), h.after
	}
	b, err := n.in.at(start, size)
	if err != nil {
		return cdc.Row{}, err
	}
	return rowcodec.ParseRow(b)
}

func (n *spoolNet) Again() (err error) {
	n.merge, err = n.effects.merge()
	return err
}

func (n *spoolNet) Close() error {
	err := n.s.close()
	if n.effects != nil {
		err = errors.Join(err, n.effects.close())
	}
	return err
}

// pieces reads a file in pieces that mostly follow each other.
type pieces struct {
	file  scratch.File
	start int64
	buf   []byte
}

// at are some bytes of the file, good until the next call.
func (w *pieces) at(at int64, size int) ([]byte, error) {
	if from := at - w.start; from >= 0 && from+int64(size) <= int64(len(w.buf)) {
		return w.buf[from:][:size], nil
	}
	if size > tailSize {
		b := make([]byte, size)
		_, err := w.file.ReadAt(b, at)
		return b, err
	}
	if cap(w.buf) < tailSize {
		w.buf = make([]byte, tailSize)
	}
	w.start, w.buf = at, w.buf[:tailSize]
	n, err := w.file.ReadAt(w.buf, at)
	w.buf = w.buf[:n]
	if n < size {
		return nil, err
	}
	return w.buf[:size], nil
}
