package events

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
)

func TestLiteralsOfStatements(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"INSERT INTO `t` (`a`, `b`, `c`) VALUES ('12.345', NULL, 'x')":     {"12.345", "", "x"},
		"INSERT INTO `t` (`a`, `b`) VALUES ('it\\'s \\\\', 0x41)":          {`it's \`, ""},
		"UPDATE `t` SET `a` = '', `b` = _latin1 'x', `c` = 'a' 'b'":        {"", "", ""},
		"INSERT INTO t (a, b) VALUES (12.345, '1e3') /* host */":           {"12.345", "1e3"},
		"INSERT INTO t (a, b) VALUES (1, 2), (3, 4)":                       nil,
		"INSERT INTO t (a, b) VALUES (1 + 1, 2)":                           nil,
		"INSERT INTO t (a, b) VALUES (NOW(), 2)":                           nil,
		"INSERT INTO t (a) SELECT 1":                                       nil,
		"INSERT INTO t (a, b) VALUES (1)":                                  nil,
		"INSERT INTO t SET a = 1, b = 'nan'":                               {"1", "nan"},
		"UPDATE `t` SET `a` = '12.345', `b` = 'x, `c` = 1' WHERE `id` = 1": {"12.345", "x, `c` = 1"},
		"UPDATE t SET a = a + '1', b = '2' * 3, c = -4, d = '0x1p-2'":      {"", "", "", "0x1p-2"},
		"UPDATE t SET a = '5'":                                             {"5"},
		"UPDATE t SET a = '5' ORDER BY b":                                  {""},
	} {
		st, ok := parseStatement(text)
		if !ok || !slices.Equal(st.literals, want) {
			t.Errorf("%s: got %q (%v), want %q", text, st.literals, ok, want)
		}
	}
}

// What a column rounds is remembered as it was passed, until a later statement of the same save passes something else.
func TestPassedNumbers(t *testing.T) {
	t.Parallel()
	table := schema.NewTable(cdc.TableName{Schema: "wp", Name: "t"}, []string{"id", "price", "tax", "name"}, []int{0})
	change := func(price, tax string) *cdc.Change {
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "1")
		b.AddText(cdc.Decimal, price)
		b.AddText(cdc.Decimal, tax)
		b.AddText(cdc.Text, "Ann")
		return &cdc.Change{Op: cdc.Update, Table: table, After: b.Row()}
	}
	ev := &event{}
	for _, step := range []struct {
		text, price, tax string
		want             map[int]string
	}{
		{"INSERT INTO t (price, tax, name) VALUES ('12.345', '1.10', '12.3450')", "12.35", "1.10", map[int]string{1: "12.345"}},
		{"UPDATE t SET tax = '0.005', name = '1' WHERE id = 1", "12.35", "0.01", map[int]string{1: "12.345", 2: "0.005"}},
		{"UPDATE t SET price = 12 WHERE id = 1", "12.00", "0.01", map[int]string{2: "0.005"}},
		{"UPDATE t SET tax = tax / 3 WHERE id = 1", "12.00", "0.00", nil},
		{"UPDATE t SET price = 99999999999 WHERE id = 1", "99999999.99", "0.00", map[int]string{1: "99999999999"}},
		{"CALL p()", "1.00", "0.00", nil},
	} {
		var known *statement
		if st, ok := parseStatement(step.text); ok {
			known = &st
		}
		ev.pass(change(step.price, step.tax), known)
		if !maps.Equal(ev.Passed, step.want) {
			t.Errorf("%s: got %v, want %v", step.text, ev.Passed, step.want)
		}
	}
}

// What a column of each kind does not keep of a literal is remembered; what another charset or a default explains is not.
func TestPassedKinds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxPassed)
	for _, test := range []struct {
		kind          cdc.Kind
		kept, literal string
		keeps         bool
	}{
		{cdc.Int, "127", "'300'", false},
		{cdc.Int, "3", "'2.7'", false},
		{cdc.Int, "3", "3", true},
		{cdc.Int, "3", "'03'", true},
		{cdc.Int, "0", "'abc'", true},
		{cdc.Int, "0", "''", true},
		{cdc.Int, "0", "NULL", true},
		{cdc.Decimal, "999.99", "'1234.5'", false},
		{cdc.Decimal, "10.00", "'10'", true},
		{cdc.Float, "0.1", "0.10", true},
		{cdc.Text, "Anna", "'Anna Maria'", false},
		{cdc.Text, "", "'😀'", false},
		{cdc.Text, "Ann", "'Ann'", true},
		{cdc.Text, "Ann ", "'Ann'", true},
		{cdc.Text, "Zoé", "'Zo\xe9'", true},
		{cdc.Text, "Zo", "'Zo\xe9e'", true},
		{cdc.Text, "2027-01-02", "'2027-01-02 10:00:00'", false},
		{cdc.Text, "2027-01-02 00:00:00", "'2027-01-02'", true},
		{cdc.Text, "0", "0x30", true},
		{cdc.Text, long[:9], "'" + long + "'", false},
		{cdc.Text, long[:9], "'" + long + "x'", true}, // too long to be remembered
		{cdc.Binary, "ab", "'abc'", true},
		{cdc.Null, "", "'abc'", true},
		{cdc.Absent, "", "'abc'", true},
	} {
		table := schema.NewTable(cdc.TableName{Schema: "wp", Name: "t"}, []string{"id", "c"}, []int{0})
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "9")
		b.AddText(test.kind, test.kept)
		st, ok := parseStatement("INSERT INTO t (id, c) VALUES ('0', " + test.literal + ")")
		if !ok {
			t.Fatalf("%s is not understood", test.literal)
		}
		ev := &event{}
		ev.pass(&cdc.Change{Op: cdc.Insert, Table: table, After: b.Row()}, &st)
		if got := ev.Passed == nil; got != test.keeps {
			t.Errorf("%.40s in a column that has %q: remembered %.80s", test.literal, test.kept, fmt.Sprint(ev.Passed))
		}
	}
}

// A row of the status history is posted as it was passed, too.
func TestPassedHistory(t *testing.T) {
	t.Parallel()
	for _, plugin := range []bool{false, true} {
		o := half
		o.Plugin = plugin
		w := newWorld(t, o)
		w.tx(0, by("INSERT INTO `wp_vikappointments_order_status` (`id_order`, `status`, `type`) VALUES ('1', 'Waiting for the bank', 'reservation')",
			w.insert("order_status", "id=1 id_order=1 status=Waiting type=reservation"))...)
		w.quiet(5)
		var want map[int]string
		if plugin {
			want = map[int]string{2: "Waiting for the bank"}
		}
		if got := w.closed[0].Passed; !maps.Equal(got, want) {
			t.Errorf("plugin %t: passed %v, want %v", plugin, got, want)
		}
	}
}
