package schema

import (
	"fmt"
	"testing"

	"rowhook/cdc/schema/ddl"
)

// TestSharedDefinitions: hundreds of sites have the same tables, whose definition memory holds once. One that is altered is its own
// from then on, and the others stay what they are.
func TestSharedDefinitions(t *testing.T) {
	t.Parallel()
	define := func() *ddl.Definition {
		return &ddl.Definition{Key: []int{0}, Charset: "utf8mb4", Columns: []ddl.Column{{Name: "id", DataType: "int"}, {Name: "notes", DataType: "text", Charset: "utf8mb4"}}}
	}
	table := func(n int) ddl.TableName {
		return ddl.TableName{Schema: "network", Name: fmt.Sprintf("wp_%d_reservation", n)}
	}
	const sites = 100
	watched := map[string]map[string]bool{"network": {}}
	for n := range sites {
		watched["network"][table(n).Name] = true
	}
	h := NewHistory(watched)
	for n := range sites {
		h.Learn(table(n), define())
	}
	for n := range sites {
		if h.Get(table(n)) != h.Get(table(0)) {
			t.Fatalf("table %d has a definition of its own", n)
		}
	}
	stored := NewHistory(watched)
	stored.Restore(h.Commit(), nil)
	if stored.Get(table(0)) != stored.Get(table(sites-1)) || !stored.Get(table(0)).Equal(define()) {
		t.Error("what was stored is not shared, or another")
	}
	latin := define()
	latin.Columns[1].Charset = "latin1"
	h.Learn(table(7), latin)
	h.Set(table(8), ddl.Gone)
	h.Commit()
	if is := h.Get(table(7)); is.Columns[1].Charset != "latin1" || h.Get(table(8)) != ddl.Gone {
		t.Errorf("one that is altered is %v, one that is gone %v", is, h.Get(table(8)))
	}
	if is := h.Get(table(9)); !is.Equal(define()) {
		t.Errorf("another one became %v", is)
	}
	for n := range 3 * mostShared { // of a server whose tables are all different ones
		d := define()
		d.Columns[0].Name = fmt.Sprint("id", n)
		h.Learn(table(n%sites), d)
	}
	if len(h.shared) > mostShared {
		t.Errorf("%d definitions are remembered", len(h.shared))
	}
}
