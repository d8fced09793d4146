//go:build matrix

package relay

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/dbtest"
)

// state prints what WordPress knows of its last query, and calls a hook in between: what it prints before must be what it prints behind.
const state = `
global $wpdb;
$wpdb->show_errors();
$wpdb->query("CREATE TABLE IF NOT EXISTS wp_own (id INT AUTO_INCREMENT PRIMARY KEY, a INT)");
$wpdb->insert('wp_own', array('a' => 1)); $wpdb->insert('wp_own', array('a' => 2));
function said() {
	global $wpdb;
	return array($wpdb->insert_id, $wpdb->rows_affected, $wpdb->num_rows, $wpdb->last_query, $wpdb->last_error, $wpdb->last_result, $wpdb->num_queries);
}
$before = said();
$refused = 'no';
$value = apply_filters_ref_array('vikappointments_add_item_cart', array(null, array(1), &$refused));
if ($value !== null || $refused !== 'no' || said() !== $before) { echo 'something changed: ', json_encode(array($before, said())); }
$id = $wpdb->insert_id;
if ($wpdb->get_var('SELECT LAST_INSERT_ID()') != $id) { echo 'LAST_INSERT_ID is another'; }
$wpdb->get_results('SELECT * FROM wp_own WHERE a = 2 LIMIT 1');
$before = said();
do_action('add_item_cart', new stdClass(), 'x');
if (said() !== $before || count($wpdb->get_col_info('name')) !== 2) { echo 'a SELECT was forgotten: ', json_encode(array($before, said())); }
apply_filters('vikappointments_add_item_cart', true);
echo 'fine';
`

// TestTroubles calls hooks where the row cannot be written: no page notices, and nothing is written.
func TestTroubles(t *testing.T) {
	t.Parallel()
	s := newSite(t, "add_item_cart")
	s.RunBefore(t, "", "update_option('rowhook_relay', 'so that the page writes nothing itself');")
	page := func(name string, rows int) {
		t.Helper()
		if out := s.Run(t, state); out != "fine" {
			t.Errorf("%s: it printed %.2000s", name, out)
		}
		if rows >= 0 {
			if got := len(s.calls(t)); got != rows {
				t.Errorf("%s: %d rows, want %d", name, got, rows)
			}
		}
	}
	page("all is well", 3)

	s.server.Exec(t, "SET GLOBAL read_only = 1")
	if out := s.Run(t, `do_action('add_item_cart', 1); apply_filters('add_item_cart', 1); apply_filters('add_item_cart', 1); echo 'fine';`); out != "fine" {
		t.Errorf("read-only: it printed %.2000s", out)
	}
	s.server.Exec(t, "SET GLOBAL read_only = 0")
	if n := len(s.calls(t)); n != 0 {
		t.Errorf("read-only: %d rows", n)
	}

	// A lock of another session makes it wait for seconds, not for a day.
	locked, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Close()
	if _, err := locked.ExecContext(t.Context(), "LOCK TABLES wp_rowhook_relay WRITE"); err != nil {
		t.Fatal(err)
	}
	page("locked", -1)
	if _, err := locked.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
		t.Fatal(err)
	}

	s.Write(t, "wp-content/db.php", `<?php class Own_DB extends wpdb { function query($q) { $this->num_queries++; $GLOBALS['asked'] = ($GLOBALS['asked'] ?? 0) + 1; return parent::query($q); } }
$GLOBALS['wpdb'] = new Own_DB(DB_USER, DB_PASSWORD, DB_NAME, DB_HOST);`)
	page("another class in wpdb's place", 3)
	s.server.Exec(t, "RENAME TABLE wordpress.wp_rowhook_relay TO wordpress.wp_away")
	page("another class, no table", -1)
	if err := os.Remove(s.Root + "/wp-content/db.php"); err != nil {
		t.Fatal(err)
	}
	page("no table", -1)

	const columns = "(id CHAR(32) PRIMARY KEY, hook VARCHAR(120), kind VARCHAR(10), args MEDIUMBLOB, omitted BLOB)"
	s.server.Exec(t, "CREATE TABLE wordpress.wp_rowhook_relay "+columns+" ENGINE=MyISAM MAX_ROWS=2 AVG_ROW_LENGTH=10")
	out := s.Run(t, `apply_filters('add_item_cart', 1, str_repeat('x', 150000)); echo 'fine';`)
	if n := len(s.calls(t)); out != "fine" || n != 0 {
		t.Errorf("a full table: it printed %.2000s, %d rows", out, n)
	}
	s.server.Exec(t, "DROP TABLE wordpress.wp_rowhook_relay; CREATE TABLE wordpress.wp_rowhook_relay (id INT PRIMARY KEY)")
	page("a table of somebody else", -1)
	s.server.Exec(t, "DROP TABLE wordpress.wp_rowhook_relay; CREATE VIEW wordpress.wp_rowhook_relay AS SELECT 1 AS id")
	page("a view", -1)
}

// TestTransactions: a row is true when the transaction around it is.
func TestTransactions(t *testing.T) {
	t.Parallel()
	s := newSite(t, "add_item_cart")
	out := s.Run(t, `global $wpdb;
foreach (array('ROLLBACK', 'COMMIT') as $end) { $wpdb->query('START TRANSACTION'); apply_filters('add_item_cart', null, $end); $wpdb->query($end); }
$wpdb->query('START TRANSACTION READ ONLY'); apply_filters('add_item_cart', null, 'read only'); $wpdb->query('COMMIT');
$wpdb->query('START TRANSACTION'); apply_filters('add_item_cart', null, 'left open'); echo 'fine';`)
	if got := fmt.Sprint(s.calls(t)); out != "fine" || got != `[{add_item_cart filter [null,"COMMIT"] []}]` {
		t.Errorf("it printed %.1000s, the rows are %s", out, got)
	}
}

// TestLostConnection: the site connects anew for its own next query, as it does without the relay.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t, "add_item_cart")
	out := s.Run(t, `global $wpdb; $mine = $wpdb->get_var('SELECT CONNECTION_ID()');
$other = mysqli_init(); list($host, $port) = explode(':', DB_HOST); $other->real_connect($host, DB_USER, DB_PASSWORD, DB_NAME, $port); $other->query("KILL $mine");
for ($i = 0; $i < 3; $i++) { if (apply_filters('add_item_cart', 'value', 1) !== 'value') { echo 'changed'; } }
echo $wpdb->get_var("SELECT 'fine'");`)
	if out != "fine" {
		t.Errorf("it printed %.2000s", out)
	}
}

// TestUpkeep: behind the page old rows go and the option tells what is relayed; and a file that relays nothing does nothing.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	s := newSite(t, "add_item_cart", "empty_cart")
	old := fmt.Sprintf("%08x", time.Now().Add(-2*time.Hour).Unix())
	s.server.Exec(t, "INSERT INTO wordpress.wp_rowhook_relay (id, hook, kind, args, omitted) VALUES ('"+old+"', 'old', '', '', '')")
	if out := s.Run(t, "for ($i = 0; $i < 100; $i++) { apply_filters('add_item_cart', $i); } echo 'fine';"); out != "fine" {
		t.Errorf("it printed %.2000s", out)
	}
	is, err := Ask(t.Context(), s.db, "wordpress", "wp_")
	if err != nil || is.Engine != "InnoDB" || is.Relayed == nil || is.Relayed.Seen != time.Now().UTC().Format(time.DateOnly) {
		t.Errorf("%+v, %v", is, err)
	}
	if says, _, ok := is.State([]string{"add_item_cart", "empty_cart"}); !ok {
		t.Error(says)
	}
	for _, c := range append(s.calls(t), call{Hook: "none"}) {
		if c.Hook != "add_item_cart" && c.Hook != "none" {
			t.Errorf("left is %+v", c)
		}
	}
	text, err := File(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Write(t, "wp-content/mu-plugins/"+FileName, text)
	const heard = "echo has_filter('add_item_cart') || has_filter('vikappointments_add_item_cart') || has_action('shutdown', 'announce') ? 'heard' : 'fine'; apply_filters('add_item_cart', 1);"
	if out := s.Run(t, heard); out != "fine" || len(s.calls(t)) > 0 {
		t.Errorf("without hooks: %.1000s", out)
	}
}

// TestCost prints what a call costs, with a cart of ten items and at its largest: the time with the relay less the time without it.
func TestCost(t *testing.T) {
	t.Parallel()
	for _, kind := range dbtest.Servers(t) {
		s := newSiteOn(t, kind, "with")
		out := s.Run(t, `
class Item { public $id = 1; public $name = 'Haarschnitt'; public $price = 25.5; public $options = array(array('id' => 1, 'quantity' => 2)); public $factors = array('a' => 1); }
class Cart { public $items = array(); public $params = array('sync' => true); protected $hidden = array(); }
$cart = new Cart(); for ($i = 0; $i < 10; $i++) { $cart->items[] = new Item(); }
$largest = array_fill(0, 2000, str_repeat('x', 120)); $err = '';
function median($name, $arg, $n) {
	$took = array(); $err = '';
	for ($i = 0; $i < $n; $i++) { $began = hrtime(true); apply_filters_ref_array($name, array(null, $arg, new Item(), &$err)); $took[] = hrtime(true) - $began; }
	sort($took); return $took[(int) ($n / 2)] / 1e6;
}
printf('%.4f %.4f %.4f', median('without', $cart, 2000), median('with', $cart, 2000), median('with', $largest, 50));`)
		var ms []float64
		for f := range strings.FieldsSeq(out) {
			n, err := strconv.ParseFloat(f, 64)
			if err != nil {
				t.Fatalf("it printed %.1000s", out)
			}
			ms = append(ms, n)
		}
		t.Logf("%s: a call of a hook with a cart of ten items takes %.3f ms at the median (%.4f without the relay), one of 256 KB %.2f ms", kind, ms[1], ms[0], ms[2])
		if got := len(s.calls(t)); got != 2050 && got != 0 { // in BLACKHOLE there are none
			t.Errorf("%s: %d rows", kind, got)
		}
	}
}
