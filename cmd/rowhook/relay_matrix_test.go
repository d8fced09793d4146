//go:build matrix

package main

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

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
		w.Write(t, "wp-content/mu-plugins/cart.php", `<?php
class VAPCart { public $items = array(); protected $secret = 1; }
class VAPCartItem { public $id_service = 7; public $name = 'Schnitt'; }
add_action('init', function () {
	$cart = new VAPCart(); $item = new VAPCartItem(); $cart->items[] = $item; $err = 'full';
	if (isset($_GET['plugin'])) { // as the plugin's own dispatcher calls it
		$options = (object) array('alias' => 'com_vikappointments', 'version' => '1.2.15', 'admin' => false, 'call' => null);
		var_dump(apply_filters_ref_array('vikappointments_add_item_cart', array(null, $cart, &$item, &$err, $options)));
	}
	if (isset($_GET['filter'])) { var_dump(apply_filters('vikappointments_add_item_cart', false, $cart, $item, $err)); }
	if (isset($_GET['rest'])) { var_dump(apply_filters_ref_array('add_item_cart', array(null, $cart, &$item, &$err))); }
	if (isset($_GET['action'])) { do_action('vikappointments_add_item_cart', $cart, $item, $err); }
});`)
		startDaemon(t, files)
		url := w.Serve(t)
		const want = `{"arg1":{"items":[{"id_service":7,"name":"Schnitt"}]},"arg2":{"id_service":7,"name":"Schnitt"},"arg3":"full"}`
		pages := map[string]string{"plugin": "NULL\n", "filter": "bool(false)\n", "rest": "NULL\n", "action": ""}
		for query, shown := range pages {
			if status, body := w.Get(t, url+"/?"+query+"=1"); status != 200 || body != shown+"<p>a page</p>" {
				t.Errorf("%s: status %d, the page is %q", query, status, body)
			}
		}
		for _, r := range receiver.WaitAccepted(patience(t), len(pages)) {
			if string(r.Body) != want || r.Header.Get("X-VAP-WEBHOOK-ACTION") != "onAddItemCart" {
				t.Errorf("got %s %s\nwant %s", r.Header.Get("X-VAP-WEBHOOK-ACTION"), r.Body, want)
			}
		}
		if out, err := rowhook(t, files, "check"); err != nil || !strings.Contains(out, "its file relays add_item_cart; a page was last made with it on ") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
