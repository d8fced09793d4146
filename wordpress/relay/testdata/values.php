// Calls a hook for each kind of value, and fails when what comes back, or an argument, is another than before.
class Parts { public $shown = 1; protected $kept = 2; private $own = 3; public $nothing; }
class Throws implements JsonSerializable {
	public $shown = 1;
	public function jsonSerialize(): mixed { throw new Exception('serialized'); }
	public function __get($name) { throw new Exception('got'); }
	public function __toString(): string { throw new Exception('a text'); }
	public function __serialize(): array { throw new Exception('serialized'); }
	public function __debugInfo() { throw new Exception('debugged'); }
	public function __clone() { throw new Exception('cloned'); }
	public function __sleep() { throw new Exception('slept'); }
}
class Typed { public int $unset; public ?string $text = null; }
enum Suit: string { case Hearts = 'h'; }
enum Plain { case One; }

set_error_handler(static function ($n, $message) { throw new ErrorException($message); }); // as some sites have it

$parent = new stdClass(); $parent->child = new stdClass(); $parent->child->parent = $parent; $parent->after = 1;
$loop = array('a' => 1); $loop['self'] = &$loop;
$deep = 'bottom'; for ($i = 0; $i < 9; $i++) { $deep = array($i => $deep); }
$six = 'bottom'; for ($i = 0; $i < 6; $i++) { $six = array($six); }
$closed = fopen('php://memory', 'r'); fclose($closed);
$twice = new Parts();
$values = array(
	'scalars'   => array(null, true, 7, -1.5, 10.0, '', "a\"b\\c/d\n\u{1F600}ö"),
	'arrays'    => array(array(), array(1, 2), array('a' => 1, 5 => 2), array(1 => 'x'), new stdClass()),
	'object'    => array(new Parts(), array($twice, $twice)),
	'throws'    => array(new Throws(), 1),
	'typed'     => array(new Typed(), new ArrayObject(array('k' => 1)), Suit::Hearts, Plain::One),
	'date'      => array(new DateTime('2026-02-03 04:05:06', new DateTimeZone('Europe/Rome'))),
	'cycle'     => array($parent, 'behind'),
	'loop'      => array($loop),
	'deep'      => array($deep, $six),
	'odd'       => array(fopen('php://memory', 'r'), $closed, function () {}, 'strlen', INF, -INF, NAN, array('f' => static fn() => 1)),
	'bytes'     => array("\xff\xfe", array("\xff" => "a\0b", 'k' => "caf\xe9")),
	'large'     => array(str_repeat('x', 5 << 20), 'the error'),
	'many'      => array(range(1, 1 << 20), array_fill_keys(range(1, 300000), 'value'), 'the error'),
	'wide'      => array(array_fill(0, 100, str_repeat('é', 30000)), 'the error'),
	'name'      => array(array(str_repeat('n', 300) => 1, 'k' => 2)),
	'arguments' => array_fill(0, 98, 'x'),
);
$failures = array();
foreach ($values as $name => $args) {
	$before = $args;
	$first = $args[0];
	$refs = array($first);
	foreach ($args as $i => &$arg) { $refs[] = &$arg; }
	unset($arg);
	$got = apply_filters_ref_array('vikappointments_case_' . $name, $refs);
	$same = is_float($first) && is_nan($first) ? is_nan($got) : $got === $first;
	if (!$same && !is_array($first)) { $failures[] = "$name: another value came back"; }
	foreach ($args as $i => $arg) {
		if (is_array($arg) ? count($arg) !== count($before[$i]) : $arg !== $before[$i] && !(is_float($arg) && is_nan($arg))) { $failures[] = "$name: argument $i was changed"; }
	}
}
foreach (array(null, false, 0, '', array(), new stdClass()) as $value) {
	if (apply_filters('case_value', $value, 1) !== $value) { $failures[] = 'value ' . gettype($value); }
}
do_action('case_action', 'one', 'two'); do_action('case_action'); do_action_ref_array('case_action', array());
apply_filters('case_action', 'value', 'three');
$again = static function ($n) { if ($n < 3) { do_action('case_action', $n + 1, 'inner'); } else { apply_filters('case_assoc', 'in it', 2); } };
add_action('case_action', $again, 10, 1); do_action('case_action', 1, 'outer'); remove_action('case_action', $again, 10);
apply_filters_ref_array('case_assoc', array(null, 'cart' => 1));
$mid = 'before'; $stop = static function ($v, &$err) { $err = 'refused'; return false; };
add_filter('case_last', $stop, PHP_INT_MAX - 1, 2);
if (apply_filters_ref_array('case_last', array(null, &$mid)) !== false || $mid !== 'refused') { $failures[] = 'what the callbacks before did is lost'; }
echo $failures ? implode("\n", $failures) : 'fine';
