package wpconfig

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// odd are files as people write them; each says who it thinks the database user is, the rest is as usual. A file's name is that
// of the case; others that it includes follow "-- NAME" lines.
var odd = map[string]struct {
	php  string
	user string // what DB_USER is; empty: PHP says otherwise, and so do we
	host string // the web server's
	env  map[string]string
}{
	"plain":             {php: `define('DB_USER', 'wp');`, user: "wp"},
	"const":             {php: `const DB_USER = 'wp', OTHER = 1;`, user: "wp"},
	"case":              {php: `DEFINE("DB_USER", 'wp');`, user: "wp"},
	"comments":          {php: "// define('DB_USER', 'a');\n# define('DB_USER', 'b');\n/* define('DB_USER', 'c'); */ define(/* x */'DB_USER', // y\n'wp');", user: "wp"},
	"comment ends":      {php: "// now ?> define('DB_USER', 'a'); <?php define('DB_USER', 'wp');", user: "wp"},
	"single quotes":     {php: `define('DB_USER', 'it\'s \\ \n $x "q"');`, user: `it's \ \n $x "q"`},
	"double quotes":     {php: `define("DB_USER", "a\tb\"c\$d\\e\x41\101\u{e9}\q\{");`, user: "a\tb\"c$d\\eAAé\\q\\{"},
	"octal":             {php: `define('DB_USER', "\0601\777x\1a");`, user: "01\xffx\x01a"},
	"newline in quotes": {php: "define('DB_USER', 'a\nb');", user: "a\nb"},
	"variables inside":  {php: `$a = 'x'; $b = ['k' => 'y', 'n' => ['z']]; define('DB_USER', "$a-{$a}-${a}-$b[k]-{$b['k']}-{$b['n'][0]}-\{$a}");`, user: `x-x-x-y-y-z-\{x}`},
	"heredoc":           {php: "$a = 'x';\ndefine('DB_USER', <<<EOT\n  one $a \\\" \\x41\n    two\n  EOT);", user: "one x \\\" A\n  two"},
	"heredoc quoted":    {php: "define('DB_USER', <<<\"E\"\na\\tb\nE\n);", user: "a\tb"},
	"nowdoc":            {php: "define('DB_USER', <<<'E'\na\\tb $c\nEND\nE);", user: "a\\tb $c\nEND"},
	"empty heredoc":     {php: "define('DB_USER', 'x' . <<<E\nE);", user: "x"},
	"concatenation":     {php: `$x = 'a' . 1 . true . null . 2.5; $x .= "b"; define('DB_USER', $x . 'c' . PHP_EOL);`, user: "a112.5bc\n"},
	"constants":         {php: `define('A', 'wp'); const B = A . '_user'; define('DB_USER', B); define('C', constant('A'));`, user: "wp_user"},
	"first counts":      {php: `define('DB_USER', 'wp'); @define('DB_USER', 'no');`, user: "wp"},
	"guard or":          {php: `defined('DB_USER') || define('DB_USER', 'wp'); defined('DB_USER') or define('DB_USER', 'no');`, user: "wp"},
	"guard and":         {php: `!defined('DB_USER') && define('DB_USER', 'wp'); defined('DB_USER') and define('X', 1);`, user: "wp"},
	"guard if":          {php: `if (!defined('DB_USER')) define('DB_USER', 'wp'); if ( ! defined( 'DB_USER' ) ) { define('DB_USER', 'no'); }`, user: "wp"},
	"getenv unset":      {php: `define('DB_USER', getenv('WPX_USER') ?: 'wp');`, user: "wp"},
	"getenv":            {php: `define('DB_USER', getenv('WPX_USER') ?: 'wp');`, user: "env", env: map[string]string{"WPX_USER": "env"}},
	"_ENV":              {php: `define('DB_USER', $_ENV['WPX_USER'] ?? 'wp');`, user: "wp"},
	"_SERVER":           {php: `define('DB_USER', isset($_SERVER['WPX_USER']) ? $_SERVER['WPX_USER'] : 'wp');`, user: "env", env: map[string]string{"WPX_USER": "env"}},
	"putenv":            {php: `putenv('WPX_A=wp'); define('DB_USER', getenv('WPX_A'));`, user: "wp"},
	"ternaries":         {php: `$a = '0'; define('DB_USER', ($a ? 'x' : ('' ?: 'w')) . (null ?? 'p'));`, user: "wp"},
	"precedence":        {php: `define('DB_USER', 'a' . 1 + 2 . 'b' . (true && false || true ? 'x' : 'y'));`, user: "a3bx"},
	"if else":           {php: `$e = 'live'; if ($e === 'dev') { define('DB_USER', 'dev'); } elseif ($e == 'live') { define('DB_USER', 'wp'); } else { define('DB_USER', 'no'); }`, user: "wp"},
	"else if":           {php: `if (false) define('DB_USER', 'a'); else if (0) { define('DB_USER', 'b'); } else define('DB_USER', 'wp');`, user: "wp"},
	"endif":             {php: `if (false): define('DB_USER', 'a'); elseif (''): define('DB_USER', 'b'); else: define('DB_USER', 'wp'); endif;`, user: "wp"},
	"html between":      {php: "if (true) { ?> <b>define('DB_USER', 'a')</b> <?php define('DB_USER', 'wp'); } ?>\n<?php", user: "wp"},
	"by host":           {php: `if ($_SERVER['HTTP_HOST'] == 'dev.example.com') define('DB_USER', 'dev'); else define('DB_USER', 'wp');`, user: "wp", host: "www.example.com"},
	"switch elsewhere":  {php: `switch ($x ?? 1) { case 1: $y = 2; } foreach ([1, 2] as $k => $v) { $z[$k] = $v; } define('DB_USER', 'wp');`, user: "wp"},
	"function":          {php: `function f($a = []) { return define('DB_USER', 'no'); } class C { const DB_USER = 'no'; function g() {} } define('DB_USER', 'wp');`, user: "wp"},
	"closure":           {php: `$f = function () use (&$x) { return 1; }; $g = fn($a) => $a; define('DB_USER', 'wp');`, user: "wp"},
	"arrays":            {php: `$c = array('db' => array('user' => 'wp'), 7 => 'x', 'y'); $c['db']['more'] = $c[8]; $c[] = 'q'; define('DB_USER', $c['db']['user'] . $c['db']['more'] . $c[9]);`, user: "wpyq"},
	"numbers":           {php: `define('DB_USER', 0x1F . '-' . 0b11 . '-' . 017 . '-' . 1_000 . '-' . -5 . '-' . 1.50);`, user: "31-3-15-1000--5-1.5"},
	"include":           {php: "require_once __DIR__ . '/local.php';\ninclude 'none.php';\n-- local.php\n<?php define('DB_USER', 'wp');", user: "wp"},
	"include relative":  {php: "require('sub/local.php');\n-- sub/local.php\n<?php if (file_exists(dirname(__FILE__) . '/deep.php')) include dirname(__DIR__, 1) . '/sub/deep.php';\n-- sub/deep.php\n<?php define('DB_USER', basename(__FILE__)); return; define('X', 1);", user: "deep.php"},
	"include returns":   {php: "$c = 1; if (is_readable(ABSPATH . 'l.php')) require ABSPATH . 'l.php';\ndefine('DB_USER', $u);\n-- l.php\n<?php $u = 'wp'; if (true) return; $u = 'no';", user: "wp"},
	"file":              {php: "define('DB_USER', trim(file_get_contents(__DIR__ . '/secret')));\n-- secret\n  wp\n", user: "wp"},
	"globals":           {php: `$GLOBALS['u'] = 'wp'; $_SERVER['HTTPS'] = 'on'; define('DB_USER', $u . $_SERVER['HTTPS']);`, user: "wpon"},
	"namespaced call":   {php: `\define('DB_USER', \strtolower('WP')); declare(ticks=1);`, user: "wp"},
	"texts":             {php: `define('DB_USER', str_replace('-', '_', rtrim('/a-b/', '/')) . strtoupper('x') . preg_replace('/[^a-z]+/', '', 'W1w2p') . dirname('/a/b') . dirname('a') . strlen('abc'));`, user: "/a_bXwp/a.3"},
	"comparisons":       {php: `define('DB_USER', ('1' === 1 ? 'a' : 'b') . (null == '' ? 'c' : 'd') . ('a' != 'b' ? 'e' : 'f') . (0 == false ? 'g' : 'h') . (empty('0') ? 'i' : 'j') . ((bool) 'x' ? 'k' : 'l') . (string) 5 . (int) '7');`, user: "bcegik57"},
	"unset and isset":   {php: `$a = 'x'; unset($a); $b = null; define('DB_USER', isset($a) || isset($b, $c) ? 'no' : 'wp');`, user: "wp"},
	"late":              {php: "define('DB_USER', 'wp'); if (!defined('ABSPATH')) exit; define('DB_NAME', 'late'); define('DB_PASSWORD', ''); define('DB_HOST', ''); $table_prefix = 'l_'; require_once ABSPATH . 'wp-settings.php'; die('not reached');", user: "wp"},
	"short tag":         {php: "?><?= 'x', 'y' ?><?php define('DB_USER', 'wp') ?>\n<?php", user: "wp"},
	"list":              {php: "[$a, $b] = ['x', 'y']; list($c) = ['z']; define('DB_USER', 'wp');", user: "wp"},
	"assign in if":      {php: "if (($u = getenv('WPX_USER')) !== false) { define('DB_USER', $u); } define('X', $u = 'wp') && define('DB_USER', 'wp');", user: "wp"},
	"try":               {php: "try { $x = intdiv(1, 1); } catch (Exception $e) { } finally { $y = 1; } define('DB_USER', 'wp');", user: "wp"},
	"switch":            {php: `switch ('b') { case 'a': define('DB_USER', 'a'); break; default: define('DB_USER', 'd'); case 'b': $x = 'w'; case 'c': define('DB_USER', $x . 'p'); break; case 'd': exit; }`, user: "wp"},
	"switch default":    {php: `switch ('x') { default: define('DB_USER', 'wp'); break; case 'a': case 'b'; define('DB_USER', 'a'); break; }`, user: "wp"},
	"switch nothing":    {php: `switch (5) { case '4': define('DB_USER', 'a'); } switch (1) {} define('DB_USER', 'wp');`, user: "wp"},
	"switch by host":    {php: `switch ($_SERVER['HTTP_HOST']) { case 'dev.example.com': case 'test.example.com': define('DB_USER', 'dev'); break; case 'www.example.com': define('DB_USER', 'wp'); break; }`, user: "wp", host: "www.example.com"},
	"include's value":   {php: "$c = include 'c.php'; $n = include 'n.php'; define('DB_USER', $c['u'] . $n . (include 'e.php'));\n-- c.php\n<?php if (false) { return 'x'; } return ['u' => 'wp'];\n-- n.php\n<?php $x = 1;\n-- e.php\n<?php return;", user: "wp1"},
	"sprintf":           {php: `define('DB_USER', sprintf('%s-%d%%', 'wp', '07'));`, user: "wp-7%"},
	"parts of texts":    {php: `define('DB_USER', substr('wp_x', 0, 2) . substr('abc', -2) . substr('abcd', 1, -1) . substr('ab', 5) . strstr('u@h', '@') . (stripos('ABC', 'b') === 1 ? 'y' : 'n') . (stristr('a', 'b') ? 'y' : 'n'));`, user: "wpbcbc@hyn"},
	"in_array":          {php: `define('DB_USER', (in_array('b', ['a', 'b']) ? 'w' : 'x') . (in_array('1', [1], true) ? 'x' : 'p') . (in_array('q', array('a')) ? 'x' : ''));`, user: "wp"},
	"loop":              {php: `$c = ['u' => ['wp']]; foreach ($c['u'] as $v) { $x[$v] = 1; } define('DB_USER', $c['u'][0]);`, user: "wp"},
	"flags":             {php: `define('DB_USER', 'wp' . (1 | 6 & 4 ^ 2));`, user: "wp7"},
	"attribute":         {php: "#[Attribute]\nclass A {}\ndefine('DB_USER', 'wp');", user: "wp"},
}

// before and after are what stands around the text of each case.
const (
	before = "<?php\n"
	after  = "\ndefine('DB_NAME', 'shop'); define('DB_PASSWORD', 'p$w'); define('DB_HOST', 'localhost'); $table_prefix = 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';\n"
)

// site writes the files of a case, and returns WordPress' folder.
func site(t *testing.T, php string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(php, "\n-- ")
	write(t, filepath.Join(root, "wp-config.php"), before+parts[0]+after)
	write(t, filepath.Join(root, "wp-settings.php"), "<?php\n")
	for _, p := range parts[1:] {
		name, text, _ := strings.Cut(p, "\n")
		write(t, filepath.Join(root, name), text)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// environment is one that has only what a case gives.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, is := vars[name]; return v, is }
}

// TestRead reads files as people write them. TestAsPHP compares with what PHP itself says of them.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range odd {
		got, err := Read(site(t, c.php), Options{Env: environment(c.env), Host: c.host})
		if err != nil || got.User != c.user || got.Name == "" || got.Prefix == "" {
			t.Errorf("%s: got %+v, %v, want the user %q", name, got, err, c.user)
		}
	}
}

// TestDoubts: what only PHP knows is named with its line, and never guessed.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		php  string
		line int // of wp-config.php
		says string
		asks string
	}{
		"function":        {php: "\n\ndefine('DB_USER', decrypt('x'));", line: 4, says: "decrypt()", asks: User},
		"own function":    {php: "function f() { return 'x'; }\ndefine('DB_USER', f());", line: 3, says: "f()", asks: User},
		"undefined":       {php: "define('OTHER', 1);", says: "DB_USER is not defined", asks: User},
		"host":            {php: "if ($_SERVER['HTTP_HOST'] == 'a') define('DB_USER', 'a'); else define('DB_USER', 'b');", line: 2, says: "HTTP_HOST", asks: WebHost},
		"one branch":      {php: "if (time() > 5) { define('DB_USER', 'a'); }\nif (!defined('DB_USER')) define('DB_USER', 'b');", line: 2, says: "time()", asks: User},
		"switch":          {php: "switch (PHP_SAPI) {\ncase 'cli': define('DB_USER', 'a'); break;\ndefault: define('DB_USER', 'b'); }", line: 2, says: "PHP_SAPI", asks: User},
		"odd switch":      {php: "switch (1) {\ncase 1: if ($x) { break; }\ndefine('DB_USER', 'a'); }", line: 2, says: "switch", asks: User},
		"loop":            {php: "foreach (['DB_USER' => 'x'] as $k => $v) define($k, $v);", line: 2, says: "foreach", asks: User},
		"by a reference":  {php: "$u = ['wp'];\nforeach ($u as $k => &$v) { $v = 'x'; }\ndefine('DB_USER', $u[0]);", line: 3, says: "foreach", asks: User},
		"within a loop":   {php: "$u = ['wp'];\nfor (;;) { $u['a'][0] = 'x'; }\ndefine('DB_USER', $u[0]);", line: 3, says: "for", asks: User},
		"object":          {php: "$x = new Env(__DIR__);\ndefine('DB_USER', $x->get('u'));", line: 3, says: "$x -> get", asks: User},
		"static":          {php: "Env::load();\ndefined('DB_USER') || define('DB_USER', 'b');", line: 2, says: "Env :: load", asks: User},
		"parse_url":       {php: "$u = parse_url(getenv('URL'));\ndefine('DB_USER', $u['user']);", line: 2, says: "parse_url()", asks: User},
		"include":         {php: "require $unknown . gethostname();\nif (!defined('DB_USER')) define('DB_USER', 'b');", line: 2, says: "gethostname()", asks: User},
		"missing include": {php: "require '/nowhere/at/all.php';", line: 2, says: "/nowhere/at/all.php", asks: User},
		"three deep":      {php: "require 'a.php';\n-- a.php\n<?php require 'b.php';\n-- b.php\n<?php\nrequire 'c.php';\n-- c.php\n<?php define('DB_USER', 'x');", says: "only 2 deep", asks: User},
		"itself":          {php: "include __FILE__;", says: "only 2 deep", asks: User},
		"eval":            {php: "eval('x');\ndefined('DB_USER') or define('DB_USER', 'x');", line: 2, says: "eval", asks: User},
		"dynamic name":    {php: "define($_GET['x'], 1);\ndefined('DB_USER') or define('DB_USER', 'x');", line: 2, asks: User},
		"no PHP":          {php: "define('DB_USER', 'never closed);", says: "", asks: User},
		"exits":           {php: "exit;", says: "ends PHP before", asks: User},
		"environment":     {php: "define('DB_USER', getenv('WPX_NONE'));", says: "WPX_NONE is not set here", asks: User},
		"by reference":    {php: "preg_match('/x/', 'x', $m);\ndefine('DB_USER', $m[0]);", line: 2, says: "preg_match()", asks: User},
	} {
		_, err := Read(site(t, c.php), Options{Env: environment(nil)})
		u, is := errors.AsType[*UnknownError](err)
		if !is || !slices.Contains(u.Settings, User) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		i := slices.Index(u.Settings, User)
		if d := u.Doubts[i]; c.line != 0 && d.Line != c.line || !strings.Contains(d.What, c.says) || !slices.Contains(u.Asks(), c.asks) {
			t.Errorf("%s: got %q, asks %q", name, d, u.Asks())
		}
		if strings.Contains(err.Error(), "p$w") {
			t.Errorf("%s: shows the password: %v", name, err)
		}
	}
}

// TestCutOff: of a file that ends anywhere nothing is taken for known that is not, and nothing goes wrong.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for name, f := range forms {
		whole, _, _ := strings.Cut(f.php, "\n-- ")
		root := t.TempDir()
		for n := range len(whole) {
			r := &runner{options: Options{Env: environment(f.env), Host: f.host}, root: root, state: newState(), file: filepath.Join(root, "wp-config.php"), functions: map[string]bool{}}
			r.source(whole[:n])
			if c, err := r.config(root, r.file); err == nil && n < len(whole)/4 {
				t.Errorf("%s, cut at %d: %+v", name, n, c)
			}
		}
	}
}

// TestGiven: what a person gives counts, and the rest is read.
func TestGiven(t *testing.T) {
	t.Parallel()
	root := site(t, "define('DB_USER', decrypt('x'));")
	got, err := Read(root, Options{Given: map[string]string{User: "me", TablePrefix: "x_"}, Env: environment(nil)})
	if err != nil || got.User != "me" || got.Prefix != "x_" || got.Name != "shop" || got.Root != root {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := Read(t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "there is no wp-config.php") {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestAbove: WordPress takes the wp-config.php of the folder above when it has none.
func TestAbove(t *testing.T) {
	t.Parallel()
	root := site(t, "define('DB_USER', 'wp');")
	if err := os.Remove(filepath.Join(root, "wp-settings.php")); err != nil { // else that file is of the WordPress there
		t.Fatal(err)
	}
	public := filepath.Join(root, "public")
	write(t, filepath.Join(public, "wp-settings.php"), "<?php\n")
	got, err := Read(public, Options{Env: environment(nil)})
	if err != nil || got.Root != public || got.File != filepath.Join(root, "wp-config.php") || got.User != "wp" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestAddress are the forms of DB_HOST.
func TestAddress(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"localhost":                "127.0.0.1:3306",
		"":                         "127.0.0.1:3306",
		"localhost:3307":           "127.0.0.1:3307",
		"LOCALHOST":                "127.0.0.1:3306",
		"localhost:/run/my.sock":   "/run/my.sock",
		":/run/my.sock":            "/run/my.sock",
		"localhost:33:/run/m.sock": "/run/m.sock",
		"127.0.0.1":                "127.0.0.1:3306",
		"db.example.com":           "db.example.com:3306",
		"db.example.com:3307":      "db.example.com:3307",
		"db.example.com:/run/a":    "db.example.com:3306",
		"::1":                      "[::1]:3306",
		"[::1]":                    "[::1]:3306",
		"[2001:db8::1]:3310":       "[2001:db8::1]:3310",
		"2001:db8::1":              "[2001:db8::1]:3306",
	} {
		if got := Address(host, nil); got != want {
			t.Errorf("%q: got %s, want %s", host, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range odd {
		f.Add(c.php)
	}
	f.Fuzz(func(t *testing.T, php string) {
		if len(php) > 4096 {
			return
		}
		r := &runner{options: Options{Env: environment(nil)}, root: "/nowhere", state: newState(), file: "/nowhere/wp-config.php", functions: map[string]bool{}}
		r.source(before + php + after)
		_, _ = r.config("/nowhere", r.file)
	})
}

// TestClientFlags: MYSQL_CLIENT_FLAGS says whether WordPress asks for TLS; what only PHP knows of it is said.
func TestClientFlags(t *testing.T) {
	t.Parallel()
	for php, want := range map[string]string{
		"": "false", "define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL);": "true", "const MYSQL_CLIENT_FLAGS = MYSQLI_CLIENT_COMPRESS | MYSQLI_CLIENT_SSL;": "true",
		"define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT);": "true", "define('MYSQL_CLIENT_FLAGS', 2048);": "true", "define('MYSQL_CLIENT_FLAGS', '2048');": "true",
		"define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_COMPRESS);": "false", "define('MYSQL_CLIENT_FLAGS', 0x800 ^ 0x820 & 0xfff);": "false", "define('MYSQL_CLIENT_FLAGS', 0);": "false",
		"if (getenv('WPX_TLS')) { define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL); }": "false", "define('MYSQL_CLIENT_FLAGS', flags_of_host());": "false, said",
	} {
		c, err := Read(site(t, php+" define('DB_USER', 'wp');"), Options{Env: func(string) (string, bool) { return "", false }})
		if err != nil {
			t.Errorf("%s: %v", php, err)
			continue
		}
		got := strconv.FormatBool(c.TLS)
		if slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, "MYSQL_CLIENT_FLAGS is not known") }) {
			got += ", said"
		}
		if got != want {
			t.Errorf("%s: %s, want %s (%q)", php, got, want, c.Notes)
		}
	}
}
