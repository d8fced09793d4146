//go:build matrix

package relay

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// site is a WordPress with the relay.
type site struct {
	*dbtest.WordPress
	server *dbtest.Server
	db     *sql.DB
}

// newSite installs WordPress, the table and the file, which relays some hooks.
func newSite(t *testing.T, hooks ...string) *site {
	t.Helper()
	return newSiteOn(t, dbtest.MariaDB1011, hooks...)
}

// newSiteOn is newSite on a kind of server.
func newSiteOn(t *testing.T, kind dbtest.Kind, hooks ...string) *site {
	t.Helper()
	server := dbtest.StartServer(t, kind)
	if kind == dbtest.MariaDB118 {
		server.Exec(t, "INSTALL SONAME 'ha_blackhole'")
	}
	s := &site{WordPress: dbtest.InstallWordPress(t, server, "wordpress"), server: server}
	s.db = server.DB(t, "wordpress")
	server.Exec(t, Table("wordpress", "wp_", "BLACKHOLE"))
	text, err := File(hooks)
	if err != nil {
		t.Fatal(err)
	}
	s.Write(t, "wp-content/mu-plugins/"+FileName, text)
	return s
}

// call is a row that the file wrote.
type call struct{ Hook, Kind, Args, Omitted string }

// calls are the rows, in order, which are removed.
func (s *site) calls(t *testing.T) (calls []call) {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "SELECT hook, kind, args, omitted FROM wp_rowhook_relay ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c call
		if err := rows.Scan(&c.Hook, &c.Kind, &c.Args, &c.Omitted); err != nil {
			t.Fatal(err)
		}
		if !json.Valid([]byte(c.Args)) || !json.Valid([]byte(c.Omitted)) {
			t.Errorf("%s: no JSON: %.200s, %.200s", c.Hook, c.Args, c.Omitted)
		}
		calls = append(calls, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	s.server.Exec(t, "DELETE FROM wordpress.wp_rowhook_relay")
	return calls
}

// TestValues relays every kind of value, where each error of PHP becomes an exception. Nothing is changed for the site.
func TestValues(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile("testdata/values.php")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{ // the arguments behind the value; space; what is named
		"case_scalars": `null,true,7,-1.5,10,"","a\"b\\c/d\n\ud83d\ude00\u00f6" []`,
		"case_arrays":  `[],[1,2],{"a":1,"5":2},{"1":"x"},{} []`,
		"case_object":  `{"shown":1,"nothing":null},[{"shown":1,"nothing":null},{"shown":1,"nothing":null}] []`,
		"case_throws":  `{"shown":1},1 []`,
		"case_typed":   `{"text":null},{"k":1},"h","One" []`,
		"case_date":    `{"date":"2026-02-03 04:05:06.000000","timezone_type":3,"timezone":"Europe/Rome"} []`,
		"case_cycle":   `{"child":{"parent":null},"after":1},"behind" [[0,"child.parent","cycle"],[1,"child.parent","cycle"]]`,
		"case_loop": `{"a":1,"self":{"a":1,"self":{"a":1,"self":{"a":1,"self":{"a":1,"self":{"a":1,"self":null}}}}}} ` +
			`[[0,"self.self.self.self.self.self","too deep"],[1,"self.self.self.self.self.self","too deep"]]`,
		"case_deep": `{"8":{"7":{"6":{"5":{"4":{"3":null}}}}}},[[[[[["bottom"]]]]]] [[0,"8.7.6.5.4.3","too deep"],[1,"8.7.6.5.4.3","too deep"]]`,
		"case_odd": `null,null,null,"strlen",null,null,null,{"f":null} [[0,"","resource"],[1,"","resource"],[2,"","resource"],[5,"","not a finite number"],` +
			`[6,"","not a finite number"],[7,"","not a finite number"],[3,"","closure"],[8,"f","closure"]]`,
		"case_bytes":     `"//4=",{"\ufffd":"a\u0000b","k":"Y2Fm6Q=="} [[0,"","base64"],[1,"","base64"],[2,"k","base64"]]`,
		"case_large":     `null,"the error" [[0,"","too large"],[1,"","too large"]]`,
		"case_name":      `{"` + strings.Repeat("n", 256) + `":1,"k":2} [[0,"` + strings.Repeat("n", 300) + `","name cut"],[1,"` + strings.Repeat("n", 300) + `","name cut"]]`,
		"case_arguments": strings.TrimSuffix(strings.Repeat(`"x",`, 98), ",") + " []",
		"case_last":      `"refused" []`,
	}
	cut := map[string]string{"case_many": "too large, with all that follows", "case_wide": "too large"}
	hooks := []string{"case_value", "case_action", "case_assoc"}
	for hook := range want {
		hooks = append(hooks, hook)
	}
	for hook := range cut {
		hooks = append(hooks, hook)
	}
	s := newSite(t, hooks...)
	if out := s.Run(t, string(code)); out != "fine" {
		t.Errorf("it printed %.3000s", out)
	}
	seen := map[string][]call{}
	for _, c := range s.calls(t) {
		seen[c.Hook] = append(seen[c.Hook], c)
	}
	for hook, want := range want {
		var args []json.RawMessage
		c := append(seen[hook], call{})[0]
		if err := json.Unmarshal([]byte(c.Args), &args); err != nil || len(args) == 0 || len(seen[hook]) != 1 || c.Kind != "filter" {
			t.Errorf("%s: %d rows, %+.200v, %v", hook, len(seen[hook]), c, err)
			continue
		}
		texts := make([]string, len(args)-1)
		for i, a := range args[1:] {
			texts[i] = string(a)
		}
		if got := strings.Join(texts, ",") + " " + c.Omitted; got != want {
			t.Errorf("%s:\n got %s\nwant %s", hook, got, want)
		}
	}
	for hook, why := range cut {
		c := append(seen[hook], call{})[0]
		if n := len(c.Args); n > 256<<10 || n < 150<<10 || !strings.HasSuffix(c.Args, `"the error"]`) || !strings.Contains(c.Omitted, why) {
			t.Errorf("%s: %d bytes, end in %s; omitted %s", hook, n, c.Args[max(0, n-100):], c.Omitted)
		}
	}
	if n := len(seen["case_value"]); n != 6 {
		t.Errorf("%d rows of values", n)
	}
	if got, want := fmt.Sprint(seen["case_action"]), `[{case_action action ["one","two"] []} {case_action action [""] []} {case_action action [] []} {case_action filter ["value","three"] []}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(seen["case_assoc"]), `[{case_assoc filter [null,1] []}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
