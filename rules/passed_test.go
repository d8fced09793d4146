package rules

import (
	"maps"
	"slices"
	"testing"

	"rowhook/cdc"
)

func TestNumbersOfStatements(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"INSERT INTO `t` (`a`, `b`, `c`) VALUES ('12.345', NULL, 'x')":     {"12.345", "", ""},
		"INSERT INTO t (a, b) VALUES (12.345, '1e3') /* host */":           {"12.345", "1e3"},
		"INSERT INTO t (a, b) VALUES (1, 2), (3, 4)":                       nil,
		"INSERT INTO t (a, b) VALUES (1 + 1, 2)":                           nil,
		"INSERT INTO t (a, b) VALUES (NOW(), 2)":                           nil,
		"INSERT INTO t (a) SELECT 1":                                       nil,
		"INSERT INTO t (a, b) VALUES (1)":                                  nil,
		"INSERT INTO t SET a = 1, b = 'nan'":                               {"1", ""},
		"UPDATE `t` SET `a` = '12.345', `b` = 'x, `c` = 1' WHERE `id` = 1": {"12.345", ""},
		"UPDATE t SET a = a + '1', b = '2' * 3, c = -4, d = '0x1p-2'":      {"", "", "", ""},
		"UPDATE t SET a = '5'":                                             {"5"},
		"UPDATE t SET a = '5' ORDER BY b":                                  {""},
	} {
		st, ok := parseStatement(text)
		if !ok || !slices.Equal(st.numbers, want) {
			t.Errorf("%s: got %q (%v), want %q", text, st.numbers, ok, want)
		}
	}
}

// What a column rounds is kept as it was passed, until a later statement of the same save passes something else.
func TestPassedNumbers(t *testing.T) {
	t.Parallel()
	table := cdc.NewTable(cdc.TableName{Schema: "wp", Name: "t"}, []string{"id", "price", "tax", "name"}, []int{0})
	change := func(price, tax string) *cdc.Change {
		var b cdc.RowBuilder
		b.AddText(cdc.Int, "1")
		b.AddText(cdc.Decimal, price)
		b.AddText(cdc.Decimal, tax)
		b.AddText(cdc.Text, "12.345")
		return &cdc.Change{Op: cdc.Update, Table: table, After: b.Row()}
	}
	ev := &Event{}
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
