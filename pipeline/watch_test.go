package pipeline

import (
	"context"
	"slices"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// hung is a reading of the log that never gets on.
type hung struct{ begun chan<- struct{} }

func (h hung) Follow(ctx context.Context, _ cdc.Position, _ []cdc.SchemaRecord, _ cdc.Sink) error {
	h.begun <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func (h hung) Standing(context.Context, cdc.Position) (cdc.Standing, error) {
	return cdc.Standing{}, nil
}

// TestRulesThatNameOtherTables: new rules reach what reads the log, for all sites and for one that is catching up, whose
// reading begins anew with the tables that they name.
func TestRulesThatNameOtherTables(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	things := b.sites[0].WordPressTable("things")
	watched, begun := make(chan []cdc.TableName, 1), make(chan struct{})
	b.watch = func(set *rules.Set) { watched <- set.Tables(b.sites[0]) }
	b.beside = func(tables []cdc.TableName) Follower {
		if slices.Contains(tables, things) {
			return b.src
		}
		return hung{begun}
	}
	b.src.trouble = map[uint64]*cdc.TableError{0: {Table: b.sites[0].Table("coupon"), Txn: cdc.Txn{Start: coord(0)}, Reason: "it does not fit"}}
	end := b.run()
	thing := func(text string) cdc.Change {
		table := schema.NewTable(things, []string{"id", "text"}, []int{0})
		return cdc.Change{Table: table, Op: cdc.Update, Before: row(1, ""), After: row(1, text)}
	}
	b.src.write(txn{b.coupon(0, 1, "a")})
	<-begun
	b.src.mu.Lock()
	b.src.trouble = nil
	b.src.mu.Unlock()
	set, err := rules.Parse("rules.yaml", []byte(ruleFile+`
  - {name: things, action: custom, table: things, load: full, url: "http://127.0.0.1/"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	routeAll(t, b.store, set)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.line.SetRules(ctx, &rules.Set{Rules: set}); err != nil {
		t.Fatal(err)
	}
	if tables := <-watched; !slices.Contains(tables, things) {
		t.Errorf("the source watches %v", tables)
	}
	b.src.write(txn{thing("b")})
	if got, want := b.next(0, 2), []string{"coupons salon/coupon/1", "things salon/custom.things/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}
