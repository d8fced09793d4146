package relay

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// known are the functions that the file may call: all that PHP 7.4 and WordPress 5.0 have. Who adds one has looked in the manual since
// when it is there.
var known = strings.Fields(`
	array_pop array_slice array_values base64_encode bin2hex count defined class_exists explode get_class gmdate implode in_array
	is_array is_bool is_finite is_float is_int is_object is_string json_encode ksort microtime mt_rand mysqli_query
	mysqli_real_escape_string random_bytes reset restore_error_handler set_error_handler sprintf str_replace strlen substr time
	add_action add_filter did_action get_option update_option wp_installing
`)

// newer is what PHP 7.4 cannot parse, or takes for something else.
var newer = map[string]string{
	`\?->`:                       "the nullsafe operator",
	`(^|[^>:$\w])match\s*\(`:     "match",
	`#\[`:                        "an attribute",
	`\benum\s+\w`:                "an enum",
	`\breadonly\b`:               "readonly",
	`\(\s*\.\.\.\s*\)`:           "a first-class callable",
	`[(,]\s*[a-z_]\w*\s*:[^:]`:   "a named argument",
	`\bcatch\s*\(\s*\\?\w+\s*\)`: "catch without a variable",
	`[=(,?]\s*throw\b`:           "throw as an expression",
	`__construct\s*\([^)]*\b(public|private|protected)\b`:           "a promoted property",
	`function[^{;]*,\s*\)`:                                          "a comma behind the last parameter",
	`\bfinal\s+(public |protected )?const\b`:                        "a final constant",
	`\bconst\s+\w+\s+\w+\s*=`:                                       "a constant with a type",
	`function[^{;]*\w\s*\|\s*\??\w`:                                 "a union type",
	`function[^{;]*\)\s*:\s*(static|never|mixed|null|false|true)\b`: "a return type of 8",
	`\b0o[0-7]`: "an octal number as of 8.1",
}

var (
	phpComment = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	phpText    = regexp.MustCompile(`'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"`)
	phpCall    = regexp.MustCompile(`(->|::|\$|\bfunction|\bnew)?\s*\b([A-Za-z_]\w*)\s*\(`)
	phpWords   = strings.Fields("if elseif foreach for while switch catch array list function return use and or isset unset empty exit")
)

// beyond lists what of a PHP file is newer than PHP 7.4.
func beyond(php string) (found []string) {
	code := phpText.ReplaceAllString(phpComment.ReplaceAllString(php, " "), "''")
	for pattern, what := range newer {
		if regexp.MustCompile(pattern).MatchString(code) {
			found = append(found, what)
		}
	}
	for _, m := range phpCall.FindAllStringSubmatch(code, -1) {
		if m[1] == "" && !slices.Contains(phpWords, m[2]) && !slices.Contains(known, m[2]) {
			found = append(found, m[2]+"()")
		}
	}
	slices.Sort(found)
	return found
}

// TestOldPHP: only newer PHPs are here to run the file, and it must run on 7.4. So what is in it is compared with what that has.
func TestOldPHP(t *testing.T) {
	t.Parallel()
	text, err := File([]string{"add_item_cart"})
	if err != nil {
		t.Fatal(err)
	}
	if found := beyond(text); len(found) > 0 {
		t.Errorf("PHP 7.4 has no %q", found)
	}
	for php, want := range map[string]string{
		`$a = $b?->c;`:                          "the nullsafe operator",
		`return match ( $a ) { 1 => 2 };`:       "match",
		`#[Pure] function f() {}`:               "an attribute",
		`enum Suit { case A; }`:                 "an enum",
		`private readonly int $a;`:              "readonly",
		`$f = strlen(...);`:                     "a first-class callable",
		`json_encode( flags: 1, value: $a );`:   "a named argument",
		`try { } catch ( Throwable ) { }`:       "catch without a variable",
		`$a = $b ?? throw new E();`:             "throw as an expression",
		`function __construct( private $a ) {}`: "a promoted property",
		`function ( $a, ) {}`:                   "a comma behind the last parameter",
		`final public const A = 1;`:             "a final constant",
		`const string A = '';`:                  "a constant with a type",
		`function f( int|string $a ) {}`:        "a union type",
		`function f(): never {}`:                "a return type of 8",
		`$a = 0o17;`:                            "an octal number as of 8.1",
		`if ( str_contains( $a, 'b' ) ) {}`:     "str_contains()",
		`$x = array_is_list( $a );`:             "array_is_list()",
	} {
		if found := beyond(php); !slices.Contains(found, want) {
			t.Errorf("in %s it finds %q, not %s", php, found, want)
		}
	}
	for _, php := range []string{
		`case 1: $a = $b ? c( $d ) : e;`, `$this->match( 1 );`, `// #[x] and str_contains()`, `echo 'catch ( Throwable )';`, `$a = $b ? $c : self::D;`,
		`set_error_handler( '__return_true' );`, `new Rowhook_Relay_Encoder();`, `function ( ...$args ) use ( $a ) {}`,
	} {
		if found := slices.DeleteFunc(beyond(php), func(what string) bool { return what == "c()" }); len(found) > 0 {
			t.Errorf("%s: %q", php, found)
		}
	}
}
