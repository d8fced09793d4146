<?php // A page that says in JSON how long calls of hooks take.
class Item { public $id = 1; public $name = 'Haarschnitt'; public $price = 25.5; public $options = array(array('id' => 1, 'quantity' => 2)); public $factors = array('a' => 1); }
class Cart { public $items = array(); public $params = array('sync' => true); protected $hidden = array(); }
$cart = new Cart(); for ($i = 0; $i < 10; $i++) { $cart->items[] = new Item(); }

function medians($arg, $n) {
	global $wpdb;
	$err = 'full';
	$call = function ($name) use ($arg, &$err) { apply_filters_ref_array($name, array(null, $arg, new Item(), &$err)); };
	$encoder = new Rowhook_Relay_Encoder();
	$json = $encoder->encode(array(null, $arg, new Item(), $err));
	$insert = function () use ($wpdb, $json) {
		$wpdb->query("INSERT INTO wp_rowhook_relay (id, hook, kind, args, omitted) VALUES ('" . bin2hex(random_bytes(16)) . "', 'with', 'filter', '" . esc_sql($json) . "', '[]')");
	};
	$took = array('insert' => array(), 'unasked' => array(), 'asked' => array());
	for ($i = 0; $i < $n; $i++) {
		$began = hrtime(true); $insert();        $took['insert'][] = hrtime(true) - $began;
		$began = hrtime(true); $call('without'); $took['unasked'][] = hrtime(true) - $began;
		$began = hrtime(true); $call('with');    $took['asked'][] = hrtime(true) - $began;
	}
	$medians = array('bytes' => strlen($json));
	foreach ($took as $what => $times) { sort($times); $medians[$what] = $times[(int) ($n / 2)] / 1e6; }
	return $medians;
}
echo json_encode(array('a cart of ten items' => medians($cart, 2000), 'arguments at their largest' => medians(array_fill(0, 2000, str_repeat('x', 120)), 50)));
