//go:build matrix

package relay

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// hooks are those that the cases call.
func hooks() []string {
	list := []string{"add_item_cart", "empty_cart", "case_value", "case_action", "case_assoc"}
	list = slices.AppendSeq(list, maps.Keys(values()))
	return slices.AppendSeq(list, maps.Keys(larger()))
}

// TestPages calls hooks in real requests, all of them of one PHP and one server: what is relayed is right, no page notices, and where the
// row cannot be written nothing is.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.MariaDB1011, hooks()...)
	for name, test := range map[string]func(*testing.T, *site){
		"requests": testRequests, "values": testValues, "troubles": testTroubles, "read-only": testReadOnly, "locked": testLocked,
		"small packets": testSmallPackets, "other class": testOtherClass, "warnings": testWarnings, "tables": testTables, "transactions": testTransactions, "lost connection": testLostConnection, "upkeep": testUpkeep,
	} {
		t.Run(name, func(t *testing.T) {
			s.relay(t, hooks()...)
			test(t, s)
		})
	}
}

// testRequests calls a hook by either of its names in each kind of request that WordPress knows.
func testRequests(t *testing.T, s *site) {
	for _, name := range []string{"add_item_cart", "vikappointments_add_item_cart"} {
		code := fmt.Sprintf(`$err = 'no'; echo apply_filters_ref_array('%s', array('fine', array(7), &$err));`, name)
		s.page(t, code)
		s.ask(t, "/?rest_route=/salon/cart", code, `"fine"`)
		s.ask(t, "/wp-admin/admin-ajax.php?action=cart", code, `"fine"`)
		if got, want := fmt.Sprint(s.calls(t)), `[`+strings.TrimSpace(strings.Repeat(`{add_item_cart filter ["fine",[7],"no"] []} `, 3))+`]`; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
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
	if _, err := s.db.ExecContext(t.Context(), "DELETE FROM wp_rowhook_relay"); err != nil {
		t.Fatal(err)
	}
	return calls
}

// values are what the cases of testdata/values.php leave: the arguments behind the value, a space, and what is named.
func values() map[string]string {
	return map[string]string{
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
}

// larger are those that are cut, and why.
func larger() map[string]string {
	return map[string]string{"case_many": "too large, with all that follows", "case_wide": "too large"}
}

// testValues relays every kind of value, where each error of PHP becomes an exception. Nothing is changed for the site.
func testValues(t *testing.T, s *site) {
	code, err := os.ReadFile("testdata/values.php")
	if err != nil {
		t.Fatal(err)
	}
	s.page(t, string(code))
	seen := map[string][]call{}
	for _, c := range s.calls(t) {
		seen[c.Hook] = append(seen[c.Hook], c)
	}
	for hook, want := range values() {
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
	for hook, why := range larger() {
		c := append(seen[hook], call{})[0]
		if n := len(c.Args); n > 256<<10 || n < 150<<10 || !strings.HasSuffix(c.Args, `"the error"]`) || !strings.Contains(c.Omitted, why) {
			t.Errorf("%s: %d bytes, end in %s; omitted %s", hook, n, c.Args[max(0, n-100):], c.Omitted)
		}
	}
	if n := len(seen["case_value"]); n != 6 {
		t.Errorf("%d rows of values", n)
	}
	if got, want := fmt.Sprint(seen["case_action"]), `[{case_action action ["one","two"] []} {case_action action [""] []} {case_action action [] []} {case_action filter ["value","three"] []} `+
		`{case_action action [3,"inner"] []} {case_action action [2,"inner"] []} {case_action action [1,"outer"] []}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(seen["case_assoc"]), `[{case_assoc filter ["in it",2] []} {case_assoc filter [null,1] []}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
