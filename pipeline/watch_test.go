package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// hung is a reading of the log that does not get on before it may.
type hung struct {
	Follower
	begun chan<- struct{}
	may   <-chan struct{}
}

func (h hung) Follow(ctx context.Context, at cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error {
	h.begun <- struct{}{}
	select {
	case <-h.may:
		return h.Follower.Follow(ctx, at, schema, sink)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h hung) Standing(context.Context, cdc.Position) (cdc.Standing, error) {
	return cdc.Standing{}, nil
}

// TestRulesThatNameOtherTables: new rules reach what reads the log, and a table that they name is read with all others, though another
// of its site is still catching up.
func TestRulesThatNameOtherTables(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	things, notes := b.sites[0].WordPressTable("things"), b.sites[0].WordPressTable("notes")
	watched, begun, may := make(chan []cdc.TableName, 1), make(chan struct{}, 1), make(chan struct{})
	b.watch = func(set *rules.Set) { watched <- set.Tables(b.sites[0]) }
	b.beside = func(tables []cdc.TableName) Follower {
		if !slices.Equal(tables, []cdc.TableName{notes}) {
			t.Errorf("beside the others are read %v", tables)
		}
		return hung{b.src, begun, may}
	}
	b.src.trouble = map[uint64]*cdc.TableError{0: {Table: notes, Txn: cdc.Txn{Start: coord(0)}, Reason: "it does not fit"}}
	end := b.run()
	update := func(of cdc.TableName, text string) cdc.Change {
		table := schema.NewTable(of, []string{"id", "text"}, []int{0})
		return cdc.Change{Table: table, Op: cdc.Update, Before: row(1, ""), After: row(1, text)}
	}
	name := func(tables ...cdc.TableName) {
		t.Helper()
		text := ruleFile
		for _, table := range tables {
			text += fmt.Sprintf("\n  - {name: %[1]s, action: custom, table: %[1]s, load: full, url: 'http://127.0.0.1/'}", strings.TrimPrefix(table.Name, b.sites[0].Prefix))
		}
		set, err := rules.Parse("rules.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		routeAll(t, b.store, set)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.line.SetRules(ctx, &rules.Set{Rules: set}); err != nil {
			t.Fatal(err)
		}
		if watches := <-watched; !slices.Contains(watches, tables[len(tables)-1]) {
			t.Errorf("the source watches %v", watches)
		}
	}
	name(notes)
	b.src.write(txn{update(notes, "a"), b.coupon(0, 1, "a")})
	<-begun
	if got, want := b.next(0, 1), []string{"coupons salon/coupon/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: the trouble is of another table", got, want)
	}
	b.src.mu.Lock()
	b.src.trouble = nil
	b.src.mu.Unlock()
	name(notes, things)
	b.src.write(txn{update(things, "b")})
	if got, want := b.next(1, 1), []string{"things salon/custom.things/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	close(may)
	if got, want := b.next(2, 1), []string{"notes salon/custom.notes/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}
