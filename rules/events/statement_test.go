package events

import (
	"slices"
	"strings"
	"testing"

	"rowhook/sqltext"
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
		"UPDATE `wp_t` SET `a` = '1' WHERE `id` = '1' ":                       {verb: "UPDATE", table: "wp_t", columns: []string{"a"}, model: true},
		"SET STATEMENT max_statement_time=9 FOR DELETE FROM wp_t":             {verb: "DELETE", table: "wp_t"},
		"UPDATE `wp_t` SET `a` = 'C:\\' WHERE `id` = '1'":                     {verb: "UPDATE", table: "wp_t", columns: []string{"a"}, model: true},      // NO_BACKSLASH_ESCAPES
		"UPDATE `wp_t` SET `a` = '\xbf\\', `b` = '\xbf' WHERE `id` = '1'":     {verb: "UPDATE", table: "wp_t", columns: []string{"a", "b"}, model: true}, // GBK
		"UPDATE `wp_t` SET `a` = 'caf\xe9\\'s' WHERE `id` = '1'":              {verb: "UPDATE", table: "wp_t", columns: []string{"a"}, model: true},      // latin1
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

// The form is that of the tokens: what a host adds to each query does not change it, and a line in it does.
func TestModelForm(t *testing.T) {
	t.Parallel()
	const comment = "/* From [salon.example/wp-admin/admin-ajax.php] in [/srv/wp-content/x.php:29]\n 'it''s` */"
	insert := []string{"INSERT", " INTO", " `t`", " (`a`", ", `b`", ") VALUES (", "'x\ny'", ", NULL", ")"}
	update := []string{"UPDATE", " `t`", " SET", " `a`", " =", " 'x -- y'", ", `b` = NULL", " WHERE `id`", " = '1'"}
	remove := []string{"DELETE", " \nFROM", " `t`", "\nWHERE", " `id` IN", " (1", ",2", ")"}
	for _, parts := range [][]string{insert, update, remove} {
		for at := range len(parts) + 1 {
			for name, added := range map[string]string{
				"nothing": "", "a comment": comment, "a comment and space": " " + comment + "\t ", "a line of comment": " -- it's\n", "another": "# `\n", "two": comment + comment,
			} {
				text := strings.Join(parts[:at], "") + added + strings.Join(parts[at:], "")
				if st, ok := parseStatement(text); !ok || !st.model {
					t.Errorf("with %s: %q is no model's: %+v", name, text, st)
				}
			}
			if at > 0 && at < len(parts) {
				if text := strings.Join(parts[:at], "") + "\n" + strings.Join(parts[at:], ""); !strings.HasPrefix(text, "DELETE") && modelForm(sqltext.Dialect{Lenient: true}, text) {
					t.Errorf("%q is a model's", text)
				}
			}
		}
	}
	for _, text := range []string{comment + "\n" + strings.Join(insert, ""), strings.Join(update, "") + "\n" + comment + "\n", "\n" + strings.Join(remove, "")} {
		if !modelForm(sqltext.Dialect{Lenient: true}, text) {
			t.Errorf("%q is no model's", text)
		}
	}
	for _, text := range []string{
		"UPDATE `t`\nSET `a` = '1'\nWHERE `id` = '1'", "UPDATE t SET `a` = '1' WHERE `id` = '1'", "update `t` set `a` = '1' where `id` = '1'",
		"UPDATE `t` SET `a` = 1 WHERE `id` = '1'", "UPDATE `t` SET `a` = \"1\" WHERE `id` = '1'", "UPDATE `t` SET `a` = '1' WHERE `id` = '1';",
		"DELETE FROM `t` WHERE `id` IN (1)", "DELETE \nFROM `t`\nWHERE `x` IN (1)", "DELETE \nFROM `t`\nWHERE `id` IN ('1')", "INSERT INTO `t` (`a`) VALUES (NOW())",
		"UPDATE `t` /* \n */\nSET `a` = '1' WHERE `id` = '1'", "INSERT IGNORE INTO `t` (`a`) VALUES ('1')", "REPLACE INTO `t` (`a`) VALUES ('1')",
	} {
		if modelForm(sqltext.Dialect{Lenient: true}, text) {
			t.Errorf("%q is a model's", text)
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
