package schema

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"rowhook/cdc/schema/ddl"
)

// statementOf is a statement of connection 5 of server 1, in schema s.
func statementOf(text string) *Statement {
	return &Statement{Server: 1, Thread: 5, Schema: "s", Text: text}
}

// What a transaction did to temporary tables counts for it at once, and is taken back with it: it may be read once more.
func TestTemporariesOfTransactions(t *testing.T) {
	t.Parallel()
	a := ddl.TableName{Name: "a"}
	h := NewHistory(map[string]map[string]bool{"s": {"a": true}})
	has := func(want bool, when string) {
		t.Helper()
		if h.Temporary.Has(statementOf(""), a) != want {
			t.Errorf("%s it is there: %v", when, !want)
		}
	}
	take := func(text string) { h.Temporary.Take(statementOf(text)) }
	take("CREATE TEMPORARY TABLE a (id INT)")
	has(true, "in the transaction that makes it,")
	h.Abandon()
	has(false, "when that was cut off,")
	take("CREATE TEMPORARY TABLE a (id INT)")
	h.Commit()
	take("DROP TEMPORARY TABLE IF EXISTS a")
	has(false, "in the transaction that drops it,")
	h.Abandon()
	has(true, "when that was cut off,")
	for _, other := range []Statement{{Server: 2, Thread: 5, Schema: "s"}, {Server: 1, Thread: 6, Schema: "s"}, {Server: 1, Thread: 5, Schema: "z"}} {
		if h.Temporary.Has(&other, a) {
			t.Errorf("%+v has it", other)
		}
	}
	for text, still := range map[string]bool{
		"ALTER TABLE a ADD b INT": true, "TRUNCATE a": true, "ALTER TABLE a RENAME b": false, "DROP TABLE a": true, "DROP TEMPORARY TABLE z, s.a": false,
	} {
		take(text)
		has(still, "after "+text)
		h.Abandon()
	}
	h.Temporary.Take(&Statement{Server: 1, Thread: 5, Schema: "s", Text: "DROP TEMPORARY TABLE a, nope", Failed: true})
	has(false, "when the statement that dropped it failed,")
	h.Abandon()
	h.Temporary.Take(&Statement{Server: 1, Thread: 5, Schema: "s", Text: "DROP TEMPORARY TABLE \xe4", Opaque: true})
	has(false, "when the statement that perhaps dropped it cannot be read,")
	h.Abandon()
	h.Temporary.Take(&Statement{Server: 1, Thread: 5, Schema: "s", Text: "CREATE TEMPORARY TABLE c SELECT 1/0", Failed: true})
	if h.Temporary.Has(statementOf(""), ddl.TableName{Name: "c"}) {
		t.Error("one is there that could not be made")
	}
	h.Temporary.Restarted()
	has(false, "when the server was started,")
}

// What is stored of them comes back, and only those are stored that may be taken for a watched table.
func TestStoredTemporaries(t *testing.T) {
	t.Parallel()
	watched := map[string]map[string]bool{"s": {"a": true, "my-shop": true}}
	h := NewHistory(watched)
	records := map[string]Record{}
	commit := func() {
		for _, r := range h.Commit() {
			if records[r.Key] = r; r.Data == nil {
				delete(records, r.Key)
			}
		}
	}
	for _, name := range []string{"a", "z.A", "z.`my-shop`", "z.scratch", "z.late"} {
		h.Temporary.Take(statementOf("CREATE TEMPORARY TABLE " + name + " (id INT)"))
	}
	commit()
	if len(records) != 3 {
		t.Errorf("stored: %v", slices.Collect(maps.Keys(records)))
	}
	h.Watch(map[string]map[string]bool{"s": {"a": true, "my-shop": true, "late": true}})
	h.Temporary.Take(statementOf("DROP TEMPORARY TABLE z.`my-shop`"))
	if h.Saved() {
		t.Error("nothing is to be stored")
	}
	commit()
	next := NewHistory(watched)
	next.Restore(slices.Collect(maps.Values(records)), slog.New(slog.DiscardHandler))
	for name, want := range map[ddl.TableName]bool{
		{Name: "a"}: true, {Schema: "z", Name: "A"}: true, {Schema: "z", Name: "late"}: true, {Schema: "z", Name: "my-shop"}: false, {Schema: "z", Name: "scratch"}: false,
	} {
		if next.Temporary.Has(statementOf(""), name) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
	for key, r := range records {
		if r.IsOf("s") == r.IsOf("z") {
			t.Errorf("%s is of s: %v, of z: %v", key, r.IsOf("s"), r.IsOf("z"))
		}
	}
	h.Temporary.Restarted()
	if commit(); len(records) != 0 {
		t.Errorf("after a start of the server these are stored: %v", records)
	}
}

// However many there are, so many are remembered.
func TestManyTemporaries(t *testing.T) {
	t.Parallel()
	h := NewHistory(nil)
	for i := range maxTemporary + 10 {
		if h.Temporary.Take(statementOf(fmt.Sprintf("CREATE TEMPORARY TABLE t%d (id INT)", i))); i%7 == 0 {
			h.Commit()
		}
	}
	if h.Commit(); len(h.Temporary.known) != maxTemporary {
		t.Errorf("%d are remembered", len(h.Temporary.known))
	}
}
