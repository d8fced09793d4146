//go:build matrix

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// rowEvent is what a rule for rows of a table posts.
type rowEvent struct {
	Type, Table string
	Key         map[string]any
	Keys        []map[string]any
	Data, Old   map[string]any
}

// TestWordPressTables follows tables of a real WordPress, which its own functions write to.
func TestWordPressTables(t *testing.T) { onServers(t, testWordPressTables) }

func testWordPressTables(t *testing.T, server *dbtest.Server) {
	dbtest.Salon(t, server, "wordpress", "wp_")
	w := dbtest.InstallWordPress(t, server, "wordpress")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	var b strings.Builder
	b.WriteString("rules:\n")
	for _, table := range []string{"posts", "postmeta", "users", "options"} {
		fmt.Fprintf(&b, "  - {name: %s, action: custom, table: %[1]s, load: full, url: %q}\n", table, receiver.URL())
	}
	startDaemon(t, daemonFiles(t, server, b.String(), "coalesce: 100ms\n"))
	after := 0
	// step runs PHP, which prints the id of what it changed, and waits for an event of that object that says what is wanted.
	step := func(name, code string, want func(id string, e rowEvent) bool) {
		t.Helper()
		id := w.Run(t, code)
		for n := after + 1; ; n++ {
			all := receiver.WaitAccepted(patience(t), n)
			var e rowEvent
			if err := json.Unmarshal(all[n-1].Body, &e); err != nil {
				t.Fatalf("%s: %v", all[n-1].Body, err)
			}
			if want(id, e) {
				after = n
				t.Logf("%s: %.150s", name, all[n-1].Body)
				return
			}
		}
	}
	is := func(kind, table, key string, also func(e rowEvent) bool) func(string, rowEvent) bool {
		return func(id string, e rowEvent) bool {
			if e.Type != kind || e.Table != table {
				return false
			}
			k := e.Key
			if kind == "delete" {
				k = e.Keys[0]
			}
			return fmt.Sprint(k[key]) == id && (also == nil || also(e))
		}
	}
	const post = `$id = (int) $GLOBALS['wpdb']->get_var("SELECT MAX(ID) FROM wp_posts WHERE post_type = 'page' AND post_name LIKE 'preise%'"); `
	step("wp_insert_post", `echo wp_insert_post(array('post_title' => 'Preise', 'post_name' => 'preise', 'post_content' => "Über\nuns 😀", 'post_status' => 'publish', 'post_type' => 'page'));`,
		is("insert", "posts", "ID", func(e rowEvent) bool {
			return e.Data["post_content"] == "Über\nuns 😀" && e.Data["guid"] != "" && e.Data["menu_order"] == 0.0 && len(e.Data) == 23
		}))
	step("wp_update_post", post+`wp_update_post(array('ID' => $id, 'post_title' => 'Alle Preise')); echo $id;`,
		is("update", "posts", "ID", func(e rowEvent) bool {
			return e.Data["post_title"] == "Alle Preise" && e.Old["post_title"] == "Preise" && e.Old["post_name"] == nil
		}))
	step("add_post_meta", post+`echo add_post_meta($id, 'colours', array('a' => 'rot'));`,
		is("insert", "postmeta", "meta_id", func(e rowEvent) bool { return e.Data["meta_value"] == `a:1:{s:1:"a";s:3:"rot";}` }))
	step("update_post_meta", post+`update_post_meta($id, 'colours', 'blau'); echo $GLOBALS['wpdb']->get_var("SELECT meta_id FROM wp_postmeta WHERE meta_key = 'colours'");`,
		is("update", "postmeta", "meta_id", func(e rowEvent) bool { return e.Data["meta_value"] == "blau" && len(e.Old) == 1 }))
	step("delete_post_meta", post+`$m = $GLOBALS['wpdb']->get_var("SELECT meta_id FROM wp_postmeta WHERE meta_key = 'colours'"); delete_post_meta($id, 'colours'); echo $m;`,
		is("delete", "postmeta", "meta_id", nil))
	step("wp_delete_post", post+`wp_delete_post($id, true); echo $id;`, is("delete", "posts", "ID", nil))
	step("wp_create_user", `echo wp_create_user('ann', 'pw', 'ann@example.com');`,
		is("insert", "users", "ID", func(e rowEvent) bool {
			return e.Data["user_login"] == "ann" && e.Data["user_email"] == "ann@example.com"
		}))
	step("wp_update_user", `$u = get_user_by('login', 'ann')->ID; wp_update_user(array('ID' => $u, 'display_name' => 'Ann Ä.')); echo $u;`,
		is("update", "users", "ID", func(e rowEvent) bool { return e.Data["display_name"] == "Ann Ä." && e.Old["display_name"] == "ann" }))
	step("wp_delete_user", `require ABSPATH . 'wp-admin/includes/user.php'; $u = get_user_by('login', 'ann')->ID; wp_delete_user($u); echo $u;`,
		is("delete", "users", "ID", nil))
	const option = `function option_id() { return $GLOBALS['wpdb']->get_var("SELECT option_id FROM wp_options WHERE option_name = 'salon_hours'"); } `
	step("add_option", option+`add_option('salon_hours', '9-17'); echo option_id();`,
		is("insert", "options", "option_id", func(e rowEvent) bool {
			return e.Data["option_name"] == "salon_hours" && e.Data["option_value"] == "9-17"
		}))
	step("update_option", option+`update_option('salon_hours', array('9-17', null)); echo option_id();`,
		is("update", "options", "option_id", func(e rowEvent) bool {
			return e.Data["option_value"] == `a:2:{i:0;s:4:"9-17";i:1;N;}` && e.Old["option_value"] == "9-17"
		}))
	step("delete_option", option+`$o = option_id(); delete_option('salon_hours'); echo $o;`, is("delete", "options", "option_id", nil))
}
