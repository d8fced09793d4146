package netting

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/scratch"
)

// Random transactions over few keys, with savepoints: however they are kept, in memory or in files, their net effect is
// the same in every detail.
func TestNetEffectIsTheSameInFiles(t *testing.T) {
	t.Parallel()
	files := scratch.In(t.TempDir())
	tables := []*cdc.Table{
		schema.NewTable(cdc.TableName{Schema: "wp", Name: "one"}, []string{"id", "v", "w"}, []int{0}),
		schema.NewTable(cdc.TableName{Schema: "wp", Name: "two"}, []string{"a", "b", "v", "w"}, []int{0, 1}),
		schema.NewTable(cdc.TableName{Schema: "wp", Name: "none"}, []string{"id", "v"}, nil),
	}
	moved, gone, large := 0, 0, 0
	for seed := range uint64(300) {
		g := &txnMaker{rand: rand.New(rand.NewPCG(seed, 7)), tables: tables, rows: map[string]cdc.Row{}}
		if seed%50 == 0 {
			g.changes = 3 * runTuples / 2 // more than one sorted run
		}
		var inMemory, inFiles Transaction
		inFiles.scratch = files
		s, err := newSpool(files)
		if err != nil {
			t.Fatal(err)
		}
		inFiles.spool = s
		g.make(func(c *cdc.Change) {
			if movesKey(c) {
				moved++
			}
			for i := range c.Table.Columns {
				if c.Before.Omitted(i) || c.After.Omitted(i) {
					large++
				}
			}
			for _, n := range []*Transaction{&inMemory, &inFiles} {
				if err := n.Add(c); err != nil {
					t.Fatal(err)
				}
			}
		}, func(keep int) {
			for _, n := range []*Transaction{&inMemory, &inFiles} {
				if err := n.Discard(keep); err != nil {
					t.Fatal(err)
				}
			}
		})
		want, got := netOf(t, &inMemory), netOf(t, &inFiles)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: in files\n%s\nin memory\n%s", seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		gone += g.n - len(want)
	}
	if moved == 0 || gone == 0 || large == 0 {
		t.Errorf("%d changes moved a key, %d were netted away, %d texts were large: the test proves little", moved, gone, large)
	}
}

// netOf are the net changes as text, read twice.
func netOf(t *testing.T, n *Transaction) []string {
	t.Helper()
	net, err := n.Take()
	if err != nil {
		t.Fatal(err)
	}
	var lists [2][]string
	for i := range lists {
		for {
			table, op, ok, err := net.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			c, err := net.Change()
			if err != nil {
				t.Fatal(err)
			}
			if c.Table != table || c.Op != op {
				t.Fatalf("announced %s of %s, is %s of %s", op, table, c.Op, c.Table)
			}
			lists[i] = append(lists[i], fmt.Sprintf("%s %s %s -> %s by %q", c.Table, c.Op, rowText(c.Before), rowText(c.After), c.Statement))
		}
		if err := net.Again(); err != nil {
			t.Fatal(err)
		}
	}
	if err := net.Close(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(lists[0], lists[1]) {
		t.Fatal("read for the second time it is another")
	}
	return lists[0]
}

func rowText(r cdc.Row) string {
	parts := make([]string, r.Len())
	for i := range parts {
		switch parts[i] = r.Text(i); {
		case r.Omitted(i):
			parts[i] = "omitted"
		case r.Kind(i) == cdc.Absent:
			parts[i] = "absent"
		}
	}
	return strings.Join(parts, ",")
}

// txnMaker writes a random transaction as a server would log it: no row appears twice, none goes that is not there.
type txnMaker struct {
	rand    *rand.Rand
	tables  []*cdc.Table
	rows    map[string]cdc.Row // by table and key
	changes int
	n       int // changes that stand in the end
}

func (g *txnMaker) make(add func(*cdc.Change), discard func(keep int)) {
	if g.changes == 0 {
		g.changes = g.rand.IntN(60)
	}
	statements := []string{"", "UPDATE one", "UPDATE two", strings.Repeat("INSERT ", 100)}
	text := ""
	type savepoint struct {
		n    int
		rows map[string]cdc.Row
	}
	var save *savepoint
	for i := range g.changes {
		switch dice := g.rand.IntN(40); {
		case dice < 8:
			text = statements[g.rand.IntN(len(statements))]
		case dice == 8 && g.changes < 1000:
			save = &savepoint{g.n, maps.Clone(g.rows)}
		case dice == 9 && save != nil:
			discard(save.n)
			g.n, g.rows, save = save.n, save.rows, nil
		case dice == 10 && g.changes > 1000 && g.rand.IntN(1000) == 0: // a link that broke
			discard(0)
			g.n = 0
			clear(g.rows)
		}
		add(g.change(i, text))
		g.n++
	}
}

// change makes a change that is possible.
func (g *txnMaker) change(i int, text string) *cdc.Change {
	t := g.tables[g.rand.IntN(len(g.tables))]
	if g.rand.IntN(30) == 0 {
		return &cdc.Change{Table: t} // of a table that no event is made of
	}
	keys := 8
	if g.changes > 1000 {
		keys = g.changes / 3
	}
	row := func() (cdc.Row, string) {
		var b rowcodec.RowBuilder
		for _, column := range t.Columns {
			v := fmt.Sprintf("%d", g.rand.IntN(keys))
			if column == "v" || column == "w" {
				v = fmt.Sprintf("value %d", i)
			}
			b.AddText(cdc.Text, v)
		}
		r := b.Row()
		if g.rand.IntN(4) == 0 {
			r = r.Omit(func(i int) bool { return i == r.Len()-1 }) // a large text, which is no key
		}
		return r, t.Name + "/" + PrimaryKey(t, r)
	}
	after, key := row()
	c := &cdc.Change{Table: t, Op: cdc.Insert, After: after, Statement: text}
	if len(t.Key) == 0 {
		c.Op = cdc.Op(1 + g.rand.IntN(3))
		c.Before, _ = row()
		switch c.Op {
		case cdc.Insert:
			c.Before = cdc.Row{}
		case cdc.Delete:
			c.After = cdc.Row{}
		}
		return c
	}
	before, there := g.rows[key]
	switch {
	case !there:
		g.rows[key] = after
	case g.rand.IntN(3) == 0:
		*c = cdc.Change{Table: t, Op: cdc.Delete, Before: before, Statement: text}
		delete(g.rows, key)
	default:
		other, otherKey := row()
		if _, taken := g.rows[otherKey]; !taken {
			after = other // moves the key
			delete(g.rows, key)
			key = otherKey
		}
		*c = cdc.Change{Table: t, Op: cdc.Update, Before: before, After: after, Statement: text}
		g.rows[key] = after
		g.cut(c)
	}
	return c
}

// cut makes the images of an update such as sessions with their own binlog_row_image log them.
func (g *txnMaker) cut(c *cdc.Change) {
	key := func(i int) bool { return slices.Contains(c.Table.Key, i) }
	switch last := len(c.Table.Columns) - 1; g.rand.IntN(4) {
	case 0:
		named := g.rand.IntN(2) // of v and w
		c.Before = only(c.Before, key)
		c.After = only(c.After, func(i int) bool { return key(i) || i == last-named })
	case 1:
		c.Before = only(c.Before, func(i int) bool { return i < last })
		c.After = only(c.After, func(i int) bool { return i < last })
	}
}

// only is a row without the columns that are not kept.
func only(r cdc.Row, keep func(i int) bool) cdc.Row {
	var b rowcodec.RowBuilder
	for i := range r.Len() {
		if keep(i) {
			b.AddColumn(r, i)
		} else {
			b.AddText(cdc.Absent, "")
		}
	}
	return b.Row()
}
