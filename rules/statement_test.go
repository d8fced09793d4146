package rules

import (
	"slices"
	"testing"
)

func TestParseStatement(t *testing.T) {
	t.Parallel()
	tests := map[string]statement{
		"INSERT INTO `wp_t` (`a`, `b`) VALUES ('it''s', 'x\\'), (`c`')": {verb: "INSERT", table: "wp_t", columns: []string{"a", "b"}, model: true},
		"insert ignore into site.wp_t (a,b) select 1, 2":                {verb: "INSERT", table: "wp_t", columns: []string{"a", "b"}},
		"REPLACE wp_t SET a = 1, b = (2, 3)":                            {verb: "REPLACE", table: "wp_t", columns: []string{"a", "b"}},
		"UPDATE `wp_t` SET `a` = 'x, `no` = 1', `b` = NULL WHERE `id` = '1'": {
			verb: "UPDATE", table: "wp_t", columns: []string{"a", "b"}, model: true,
		},
		"UPDATE `wp_t`\nSET `a` = 'x'\nWHERE `id` = '5'":                      {verb: "UPDATE", table: "wp_t", columns: []string{"a"}},
		"update /* who */ wp_t set wp_t.a=concat('x', b), `b`=b+1 where id=3": {verb: "UPDATE", table: "wp_t", columns: []string{"a", "b"}},
		"UPDATE wp_t SET a = IF(b, 1, 2), c = \"where\" ORDER BY a LIMIT 1":   {verb: "UPDATE", table: "wp_t", columns: []string{"a", "c"}},
		"DELETE \nFROM `wp_t`\nWHERE `id` IN (11,10)":                         {verb: "DELETE", table: "wp_t", ids: []int64{11, 10}, model: true},
		"delete from wp_t where id in ( '3' , 4 ) and a = 1":                  {verb: "DELETE", table: "wp_t", ids: []int64{3, 4}},
		"DELETE FROM wp_t WHERE a = 1":                                        {verb: "DELETE", table: "wp_t"},
		"-- a note\nDELETE FROM wp_t":                                         {verb: "DELETE", table: "wp_t"},
		"INSERT INTO `wp_t` (`k\xf6ln`) VALUES ('\xf6')":                      {verb: "INSERT", table: "wp_t", columns: []string{"k\xf6ln"}, model: true},
		"UPDATE `wp_t` SET `a` = '1' WHERE `id` = '1' ":                       {verb: "UPDATE", table: "wp_t", columns: []string{"a"}},
		"UPDATE `wp_t` SET `a` = 1 WHERE `id` = '1'":                          {verb: "UPDATE", table: "wp_t", columns: []string{"a"}},
		"DELETE FROM wp_t WHERE id IN (SELECT id FROM x)":                     {verb: "DELETE", table: "wp_t"},
	}
	for text, want := range tests {
		got, ok := parseStatement(text)
		if !ok || got.verb != want.verb || got.table != want.table || got.model != want.model ||
			!slices.Equal(got.columns, want.columns) || !slices.Equal(got.ids, want.ids) {
			t.Errorf("%q\n got %+v %v\nwant %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "SELECT 1", "UPDATE a, b SET a.x = 1", "UPDATE a INNER JOIN b ON 1 SET x = 1", "INSERT INTO t VALUES (1)",
		"INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE b = 2", "UPDATE t SET a = 'open", "INSERT INTO t (a, 'b') VALUES (1)",
		"UPDATE t SET a = 1 /* open", "DELETE t FROM t JOIN u", "CALL p()", "INSERT INTO `t", "BEGIN NOT ATOMIC UPDATE t SET a = 1; END",
	} {
		if st, ok := parseStatement(text); ok {
			t.Errorf("%q was understood as %+v", text, st)
		}
	}
}

func FuzzParseStatement(f *testing.F) {
	for _, s := range []string{
		"INSERT INTO `t` (`a`, `b`) VALUES ('x', NULL)", "UPDATE `t` SET `a` = 'v' WHERE `id` = '1'", "DELETE \nFROM `t`\nWHERE `id` IN (1,2)",
		"update t set a=(1,2),b=\"x\" -- c", "REPLACE t SET a = 1", "'", "`", "/*", "insert t(a)select 1 on duplicate key",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		st, ok := parseStatement(text)
		if ok && (st.table == "" || st.verb == "") {
			t.Errorf("%q was understood as %+v", text, st)
		}
	})
}
