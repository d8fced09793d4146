//go:build matrix

package relay

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
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

// testTroubles calls a hook where all is well, and where the table is not there.
func testTroubles(t *testing.T, s *site) {
	s.page(t, state)
	if n := len(s.calls(t)); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	s.server.Exec(t, "DROP TABLE wordpress.wp_rowhook_relay")
	s.page(t, state)
}

// testReadOnly is a server that refuses every write, also that of the option, behind the page.
func testReadOnly(t *testing.T, s *site) {
	s.server.Exec(t, "DELETE FROM wordpress.wp_options WHERE option_name = 'rowhook_relay'; SET GLOBAL read_only = 1")
	s.page(t, `do_action('add_item_cart', 1); if (apply_filters('add_item_cart', 1) + apply_filters('add_item_cart', 1) === 2) { echo 'fine'; }`)
	s.server.Exec(t, "SET GLOBAL read_only = 0")
	if n := len(s.calls(t)); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// testLocked: a lock of another session makes a page wait for seconds, not for a day.
func testLocked(t *testing.T, s *site) {
	locked, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Close()
	if _, err := locked.ExecContext(t.Context(), "LOCK TABLES wp_rowhook_relay WRITE"); err != nil {
		t.Fatal(err)
	}
	s.page(t, state)
	if _, err := locked.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
		t.Fatal(err)
	}
}

// testOtherClass is a site that has another class in the place of wpdb.
func testOtherClass(t *testing.T, s *site) {
	s.Write(t, "wp-content/db.php", `<?php class Own_DB extends wpdb { function query($q) { $this->num_queries++; $GLOBALS['asked'] = ($GLOBALS['asked'] ?? 0) + 1; return parent::query($q); } }
$GLOBALS['wpdb'] = new Own_DB(DB_USER, DB_PASSWORD, DB_NAME, DB_HOST);`)
	s.page(t, `if (get_class($GLOBALS['wpdb']) !== 'Own_DB') { echo 'it is not there'; }`+state)
	if n := len(s.calls(t)); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	s.server.Exec(t, "DROP TABLE wordpress.wp_rowhook_relay")
	s.page(t, state)
	if err := os.Remove(s.Root + "/wp-content/db.php"); err != nil {
		t.Fatal(err)
	}
}

// warner is an object that says so when its code runs, and a class in the place of wpdb whose code runs within the relay and raises
// all that PHP knows but errors.
const warner = `
class Warner implements JsonSerializable, IteratorAggregate, Countable, ArrayAccess {
	public $shown = 1;
	private function raise($what) { foreach (array(E_USER_WARNING, E_USER_NOTICE, E_USER_DEPRECATED) as $level) { trigger_error($what, $level); } }
	public function jsonSerialize(): mixed { $this->raise('serialized'); return 1; }
	public function getIterator(): Iterator { $this->raise('walked'); return new ArrayIterator(array()); }
	public function count(): int { $this->raise('counted'); return 0; }
	public function offsetExists($at): bool { $this->raise('looked at'); return true; }
	public function offsetGet($at): mixed { $this->raise('taken'); return 1; }
	public function offsetSet($at, $value): void { $this->raise('put'); }
	public function offsetUnset($at): void { $this->raise('removed'); }
	public function __get($name) { $this->raise('got'); return 1; }
	public function __isset($name) { $this->raise('asked for'); return true; }
	public function __toString(): string { $this->raise('a text'); return ''; }
	public function __serialize(): array { $this->raise('serialized'); return array(); }
	public function __debugInfo() { $this->raise('debugged'); return array(); }
}
$unset = new Warner(); unset($unset->shown);
if (apply_filters('add_item_cart', 1, new Warner(), array($unset)) !== 1) { echo 'another value came back'; }
if (!empty($GLOBALS['raised'])) { $GLOBALS['raised'] = 0; do_action('add_item_cart', 2); if (!$GLOBALS['raised']) { echo 'nothing was raised'; } }
if (ini_get('display_errors') != 1 || error_reporting() !== E_ALL) { echo 'a warning would not be seen'; }
echo 'fine';
`

// testWarnings: what PHP says while the file works is no part of the page, nor of the site's log: neither of an argument's code, nor
// of a class in the place of wpdb.
func testWarnings(t *testing.T, s *site) {
	s.page(t, warner)
	want := `[{add_item_cart filter [1,{"shown":1},[{}]] []}]`
	if got := fmt.Sprint(s.calls(t)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.Write(t, "wp-content/db.php", `<?php class Warning_DB extends wpdb { function query($q) {
	if (strpos($q, 'INSERT') !== false && strpos($q, 'rowhook_relay') !== false) {
		$GLOBALS['raised'] = 1;
		$none = array(); $none['not there'] .= $none['neither'];
		strlen(null);
		foreach (array(E_USER_WARNING, E_USER_NOTICE, E_USER_DEPRECATED) as $level) { trigger_error('of the site', $level); }
	}
	return parent::query($q);
} }
$GLOBALS['wpdb'] = new Warning_DB(DB_USER, DB_PASSWORD, DB_NAME, DB_HOST);`)
	s.page(t, warner)
	want = strings.TrimSuffix(want, "]") + ` {add_item_cart action [2] []}]`
	if got := fmt.Sprint(s.calls(t)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := os.Remove(s.Root + "/wp-content/db.php"); err != nil {
		t.Fatal(err)
	}
}

// testSmallPackets is a server that hangs up on a row as large as this: the site connects anew, as it does without the relay.
func testSmallPackets(t *testing.T, s *site) {
	var was int
	if err := s.db.QueryRowContext(t.Context(), "SELECT @@GLOBAL.max_allowed_packet").Scan(&was); err != nil {
		t.Fatal(err)
	}
	s.server.Exec(t, "SET GLOBAL max_allowed_packet = 65536")
	s.page(t, `apply_filters('add_item_cart', 1, str_repeat('x', 150000)); apply_filters('add_item_cart', 1); echo $GLOBALS['wpdb']->get_var("SELECT 'fine'");`)
	s.server.Exec(t, "SET GLOBAL max_allowed_packet = ?", was)
	if n := len(s.calls(t)); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// testTables are tables that do not take the row.
func testTables(t *testing.T, s *site) {
	const columns = "(id CHAR(32) PRIMARY KEY, hook VARCHAR(120), kind VARCHAR(10), args MEDIUMBLOB, omitted BLOB)"
	s.server.Exec(t, "DROP TABLE wordpress.wp_rowhook_relay; CREATE TABLE wordpress.wp_rowhook_relay "+columns+" ENGINE=MyISAM MAX_ROWS=2 AVG_ROW_LENGTH=10")
	s.page(t, `apply_filters('add_item_cart', 1, str_repeat('x', 150000)); echo 'fine';`)
	if n := len(s.calls(t)); n != 0 {
		t.Errorf("a full table: %d rows", n)
	}
	s.server.Exec(t, "DROP TABLE wordpress.wp_rowhook_relay; CREATE TABLE wordpress.wp_rowhook_relay (id INT PRIMARY KEY)")
	s.page(t, state)
	s.server.Exec(t, "DROP TABLE wordpress.wp_rowhook_relay; CREATE VIEW wordpress.wp_rowhook_relay AS SELECT 1 AS id")
	s.page(t, state)
	s.server.Exec(t, "DROP VIEW wordpress.wp_rowhook_relay")
}

// testTransactions: a row is true when the transaction around it is.
func testTransactions(t *testing.T, s *site) {
	s.page(t, `global $wpdb;
foreach (array('ROLLBACK', 'COMMIT') as $end) { $wpdb->query('START TRANSACTION'); apply_filters('add_item_cart', null, $end); $wpdb->query($end); }
$wpdb->query('START TRANSACTION READ ONLY'); apply_filters('add_item_cart', null, 'read only'); $wpdb->query('COMMIT');
$wpdb->query('START TRANSACTION'); apply_filters('add_item_cart', null, 'left open'); echo 'fine';`)
	if got := fmt.Sprint(s.calls(t)); got != `[{add_item_cart filter [null,"COMMIT"] []}]` {
		t.Errorf("the rows are %s", got)
	}
}

// testLostConnection: the site connects anew for its own next query, as it does without the relay.
func testLostConnection(t *testing.T, s *site) {
	s.page(t, `global $wpdb; $mine = $wpdb->get_var('SELECT CONNECTION_ID()');
$other = mysqli_init(); list($host, $port) = explode(':', DB_HOST); $other->real_connect($host, DB_USER, DB_PASSWORD, DB_NAME, $port); $other->query("KILL $mine");
for ($i = 0; $i < 3; $i++) { if (apply_filters('add_item_cart', 'value', 1) !== 'value') { echo 'changed'; } }
echo $wpdb->get_var("SELECT 'fine'");`)
}

// testUpkeep: behind the page old rows go and the option tells what is relayed; and a file that relays nothing does nothing.
func testUpkeep(t *testing.T, s *site) {
	old := fmt.Sprintf("%08x", time.Now().Add(-2*time.Hour).Unix())
	s.server.Exec(t, "INSERT INTO wordpress.wp_rowhook_relay (id, hook, kind, args, omitted) VALUES ('"+old+"', 'old', '', '', '')")
	s.page(t, "for ($i = 0; $i < 100; $i++) { apply_filters('add_item_cart', $i); } echo 'fine';")
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
	s.relay(t)
	s.page(t, "echo has_filter('add_item_cart') || has_filter('vikappointments_add_item_cart') ? 'heard' : 'fine'; apply_filters('add_item_cart', 1);")
	if calls := s.calls(t); len(calls) > 0 {
		t.Errorf("without hooks it relays %v", calls)
	}
}
