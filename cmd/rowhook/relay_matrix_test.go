//go:build matrix

package main

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// cartPHP calls the documentation's example, as the plugin's own dispatcher does and otherwise, and with arguments of every kind.
const cartPHP = `<?php
class VAPCart { public $items = array(); protected $secret = 1; }
class VAPCartItem { public $id_service = 7; public $name = 'Schnitt'; }
add_action('init', function () {
	global $wpdb;
	$cart = new VAPCart(); $item = new VAPCartItem(); $cart->items[] = $item; $err = 'full';
	$options = (object) array('alias' => 'com_vikappointments', 'version' => '1.2.15', 'admin' => false, 'call' => null);
	$parent = (object) array('child' => new stdClass()); $parent->child->parent = $parent;
	$add = function (...$args) { var_dump(apply_filters('vikappointments_add_item_cart', true, ...$args)); };
	switch (key($_GET)) {
	case 'plugin': var_dump(apply_filters_ref_array('vikappointments_add_item_cart', array(null, $cart, &$item, &$err, $options))); break;
	case 'filter': var_dump(apply_filters('vikappointments_add_item_cart', false, $cart, $item, $err)); break;
	case 'rest': var_dump(apply_filters_ref_array('add_item_cart', array(null, $cart, &$item, &$err))); break;
	case 'action': do_action('vikappointments_add_item_cart', $cart, $item, $err); break;
	case 'cycle': $add($parent); break;
	case 'odd': $add(fopen('php://memory', 'r'), function () {}, "\xff\xfe"); break;
	case 'large': $add(str_repeat('x', 5 << 20), 'the error'); break;
	case 'rollback': case 'commit': $wpdb->query('START TRANSACTION'); $add(key($_GET)); $wpdb->query(key($_GET));
	}
});`

// TestRelayInWordPress is the documentation's example in a real WordPress, in real requests, on every kind of server.
func TestRelayInWordPress(t *testing.T) {
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		dbtest.Salon(t, server, "wordpress", "wp_")
		w := dbtest.InstallWordPress(t, server, "wordpress")
		rowhookUser(t, server)
		if server.Kind() == dbtest.MariaDB118 {
			server.Exec(t, "INSTALL SONAME 'ha_blackhole'")
		}
		receiver := delivertest.NewReceiver(t)
		files := daemonFiles(t, server, fmt.Sprintf("rules:\n  - {name: cart, action: vikappointments_add_item_cart, url: %q}\n", receiver.URL()), "")
		for args, to := range map[string]func(string){
			"relay":       func(text string) { w.Write(t, "wp-content/mu-plugins/rowhook-relay.php", text) },
			"relay --sql": func(text string) { server.Exec(t, text) },
		} {
			text, err := rowhook(t, files, strings.Fields(args)...)
			if err != nil {
				t.Fatal(err)
			}
			to(text)
		}
		w.Write(t, "wp-content/mu-plugins/cart.php", cartPHP)
		startDaemon(t, files)
		url := w.Serve(t)
		const cart = `{"arg1":{"items":[{"id_service":7,"name":"Schnitt"}]},"arg2":{"id_service":7,"name":"Schnitt"},"arg3":"full"} `
		want := map[string]int{}
		for _, page := range []struct{ query, shown, posted string }{ // posted: the body, a space, and what it leaves out
			{"plugin", "NULL\n", cart}, {"filter", "bool(false)\n", cart}, {"rest", "NULL\n", cart}, {"action", "", cart},
			{"cycle", "bool(true)\n", `{"arg1":{"child":{"parent":null}}} arg1.child.parent`},
			{"odd", "bool(true)\n", `{"arg1":null,"arg2":null,"arg3":"//4="} arg1, arg2`},
			{"large", "bool(true)\n", `{"arg1":null,"arg2":"the error"} arg1`},
			{"rollback", "bool(true)\n", ""}, {"commit", "bool(true)\n", `{"arg1":"commit"} `},
		} {
			if status, body := w.Get(t, url+"/?"+page.query+"=1"); status != http.StatusOK || body != page.shown+"<p>a page</p>" {
				t.Errorf("%s: status %d, the page is %q", page.query, status, body)
			}
			if page.posted != "" {
				want[page.posted]++
			}
		}
		if log := w.Logged(t); log != "" {
			t.Errorf("PHP logged %s", log)
		}
		got := map[string]int{}
		for _, r := range receiver.WaitAccepted(patience(t), 8) {
			got[string(r.Body)+" "+r.Header.Get("X-Rowhook-Omitted")]++
			if action := r.Header.Get("X-VAP-WEBHOOK-ACTION"); action != "onAddItemCart" {
				t.Errorf("the action is %q", action)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if out, err := rowhook(t, files, "check"); err != nil || !strings.Contains(out, "its file relays add_item_cart; a page was last made with it on ") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
