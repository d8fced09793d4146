package wpconfig

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// form is a wp-config.php as hosters, tools and people write it, with the files that it includes behind "-- NAME" lines.
type form struct {
	php  string
	says string // user, password, host, schema and prefix; empty: PHP alone knows it
	asks string // what a person is asked for then
	why  string // in each answer: the line and the reason
	host string // the web server's
	env  map[string]string
}

// forms are such files, cut down to what decides.
var forms = map[string]form{
	"as it comes, from Windows": {php: "\xef\xbb\xbf<?php\r\n/**\r\n * The base configuration\r\n */\r\n// ** Database settings ** //\r\ndefine( 'DB_NAME', 'shop' );\r\n" +
		"/** Database username */\r\ndefine( 'DB_USER', 'wp' );\r\ndefine( 'DB_PASSWORD', 'pa\\'ss' );\r\ndefine( 'DB_HOST', 'localhost' );\r\ndefine( 'DB_CHARSET', 'utf8mb4' );\r\n" +
		"$table_prefix = 'wp_';\r\ndefine( 'WP_DEBUG', false );\r\nif ( ! defined( 'ABSPATH' ) ) {\r\n\tdefine( 'ABSPATH', __DIR__ . '/' );\r\n}\r\nrequire_once ABSPATH . 'wp-settings.php';\r\n?>\r\n",
		says: "wp pa'ss localhost shop wp_"},
	"Plesk": {php: "<?php\ndefine( 'DB_NAME', \"wp_k3x\" );\ndefine( 'DB_USER', \"wp_9\" );\ndefine( 'DB_PASSWORD', \"a$1\\\\b\" );\ndefine( 'DB_HOST', \"localhost:3306\" );\n" +
		"define('WP_AUTO_UPDATE_CORE', 'minor');\n$table_prefix = 'Lp3_';\nrequire_once ABSPATH . 'wp-settings.php';", says: `wp_9 a$1\b localhost:3306 wp_k3x Lp3_`},
	"WP Engine": {php: "<?php\n# Database Configuration\ndefine( 'DB_NAME', 'wp_salon' );\ndefine( 'DB_USER', 'salon' );\ndefine( 'DB_PASSWORD', 'x' );\ndefine( 'DB_HOST', '127.0.0.1:3306' );\n" +
		"define( 'DB_HOST_SLAVE', '127.0.0.1:3306' );\n$table_prefix = 'wp_';\n# Hosting\numask(0002);\n$cdn=array ( 0 =>  array ( 'zone' => 'k', 'match' => array ( 0 => 'a', ), ), );\n$memcached_servers=array ( );\n" +
		"if ( !defined('ABSPATH') )\n\tdefine('ABSPATH', dirname(__FILE__) . '/');\nrequire_once(ABSPATH . 'wp-settings.php');\n$x = false; if ( $x ) : foo(); endif;", says: "salon x 127.0.0.1:3306 wp_salon wp_"},
	"SiteGround": {php: "<?php\n@include_once('/nowhere/sec/wp-settings-pre.php'); // Added\ndefine('DB_NAME', 'a'); define('DB_USER', 'b'); define('DB_PASSWORD', 'c'); define('DB_HOST', '127.0.0.1');\n" +
		"$table_prefix = 'q_';\n@include_once('/nowhere/sec/wp-settings.php');\nrequire_once(ABSPATH . 'wp-settings.php');", says: "b c 127.0.0.1 a q_"},
	"DDEV": {php: "<?php\n$ddev_settings = __DIR__ . '/wp-config-ddev.php';\nif ( is_readable( $ddev_settings ) && ! defined( 'DB_USER' ) ) {\n  require_once( $ddev_settings );\n}\n$table_prefix = 'wp_';\n" +
		"defined( 'ABSPATH' ) or define( 'ABSPATH', dirname( __FILE__ ) . '/' );\nif ( file_exists( ABSPATH . '/wp-settings.php' ) ) {\n  require_once ABSPATH . '/wp-settings.php';\n}\n-- wp-config-ddev.php\n" +
		"<?php\nif ( getenv( 'IS_DDEV_PROJECT' ) == 'true' ) {\n  defined( 'DB_NAME' ) || define( 'DB_NAME', 'db' );\n  defined( 'DB_USER' ) || define( 'DB_USER', 'db' );\n" +
		"  defined( 'DB_PASSWORD' ) || define( 'DB_PASSWORD', 'db' );\n  defined( 'DB_HOST' ) || define( 'DB_HOST', 'ddev-shop-db' );\n}\n", env: map[string]string{"IS_DDEV_PROJECT": "true"}, says: "db db ddev-shop-db db wp_"},
	"DDEV, from outside": {php: "<?php\nrequire_once __DIR__ . '/wp-config-ddev.php';\n$table_prefix = 'wp_';\n-- wp-config-ddev.php\n<?php\nif ( getenv( 'IS_DDEV_PROJECT' ) == 'true' ) {\n" +
		"  define( 'DB_NAME', 'db' ); define( 'DB_USER', 'db' ); define( 'DB_PASSWORD', 'db' ); define( 'DB_HOST', 'x' );\n}\n",
		asks: "DB_NAME DB_USER DB_PASSWORD DB_HOST", why: "wp-config-ddev.php:2: the environment variable IS_DDEV_PROJECT is not set here"},
	"Bedrock": {php: "<?php\nrequire_once __DIR__ . '/vendor/autoload.php';\nrequire_once __DIR__ . '/config/application.php';\nrequire_once ABSPATH . 'wp-settings.php';\n-- vendor/autoload.php\n" +
		"<?php\nrequire_once __DIR__ . '/composer/autoload_real.php';\nreturn ComposerAutoloaderInit3::getLoader();\n-- vendor/composer/autoload_real.php\n<?php\nclass ComposerAutoloaderInit3 {}\n-- config/application.php\n" +
		"<?php\nuse Roots\\WPConfig\\Config;\nuse function Env\\env;\n$root_dir = dirname(__DIR__);\n$dotenv = Dotenv\\Dotenv::createImmutable($root_dir);\n$dotenv->load();\n" +
		"Config::define('DB_NAME', env('DB_NAME'));\nConfig::define('DB_USER', env('DB_USER'));\nConfig::define('DB_PASSWORD', env('DB_PASSWORD'));\nConfig::define('DB_HOST', env('DB_HOST') ?: 'localhost');\n" +
		"$table_prefix = env('DB_PREFIX') ?: 'wp_';\nConfig::apply();\n", asks: "DB_NAME DB_USER DB_PASSWORD DB_HOST table_prefix", why: "application.php:"},
	"Docker's image": {php: "<?php\nif (!function_exists('getenv_docker')) {\n\tfunction getenv_docker($env, $default) {\n\t\tif ($fileEnv = getenv($env . '_FILE')) {\n\t\t\treturn rtrim(file_get_contents($fileEnv), \"\\r\\n\");\n\t\t}\n" +
		"\t\telse if (($val = getenv($env)) !== false) {\n\t\t\treturn $val;\n\t\t}\n\t\telse {\n\t\t\treturn $default;\n\t\t}\n\t}\n}\ndefine( 'DB_NAME', getenv_docker('A_NAME', 'wordpress') );\n" +
		"define( 'DB_USER', getenv_docker('A_USER', 'example') );\ndefine( 'DB_PASSWORD', getenv_docker('A_PASSWORD', 'example') );\ndefine( 'DB_HOST', getenv_docker('A_HOST', 'mysql') );\n" +
		"$table_prefix = getenv_docker('A_PREFIX', 'wp_');\nif ($configExtra = getenv_docker('A_EXTRA', '')) {\n\teval($configExtra);\n}\nrequire_once ABSPATH . 'wp-settings.php';",
		asks: "DB_NAME DB_USER DB_PASSWORD DB_HOST table_prefix", why: "calls getenv_docker(), a function of its own"},
	"Pantheon": {php: "<?php\nif (file_exists(dirname(__FILE__) . '/wp-config-local.php') && !isset($_ENV['PANTHEON_X'])) {\n  require_once dirname(__FILE__) . '/wp-config-local.php';\n} else {\n  if (isset($_ENV['PANTHEON_X'])) {\n" +
		"    define('DB_NAME', $_ENV['A_NAME']);\n    define('DB_USER', $_ENV['A_USER']);\n    define('DB_PASSWORD', $_ENV['A_PASSWORD']);\n    define('DB_HOST', $_ENV['A_HOST'] . ':' . $_ENV['A_PORT']);\n" +
		"    if (isset($_SERVER['HTTP_HOST'])) {\n      $scheme = 'http';\n      if (isset($_SERVER['HTTP_USER_AGENT_HTTPS']) && $_SERVER['HTTP_USER_AGENT_HTTPS'] === 'ON') { $scheme = 'https'; }\n" +
		"      define('WP_HOME', $scheme . '://' . $_SERVER['HTTP_HOST']);\n    }\n  } else {\n    define('DB_NAME', 'database_name');\n  }\n}\n$table_prefix = getenv('A_PREFIX') ?: 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';",
		env: map[string]string{"PANTHEON_X": "live", "A_NAME": "n", "A_USER": "u", "A_PASSWORD": "p", "A_HOST": "dbserver.x.internal", "A_PORT": "13320"}, says: "u p dbserver.x.internal:13320 n wp_"},
	"Elastic Beanstalk": {php: "<?php\ndefine('DB_NAME', $_SERVER['RDS_DB_NAME'] ?? 'ebdb'); define('DB_USER', $_SERVER['RDS_USERNAME']); define('DB_PASSWORD', $_SERVER[\"RDS_PASSWORD\"]);\n" +
		"define('DB_HOST', $_SERVER['RDS_HOSTNAME'] . ':' . $_SERVER['RDS_PORT']);\n$table_prefix = 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';",
		env: map[string]string{"RDS_USERNAME": "u", "RDS_PASSWORD": "p", "RDS_HOSTNAME": "x.rds.amazonaws.com", "RDS_PORT": "3306"}, says: "u p x.rds.amazonaws.com:3306 ebdb wp_"},
	"Heroku": {php: "<?php\n$url = parse_url(getenv('A_URL') ? getenv('A_URL') : getenv('B_URL'));\ndefine('DB_NAME', trim($url['path'], '/'));\ndefine('DB_USER', $url['user']);\ndefine('DB_PASSWORD', $url['pass']);\n" +
		"define('DB_HOST', $url['host']);\n$table_prefix = 'wp_';\n", asks: "DB_NAME DB_USER DB_PASSWORD DB_HOST", why: "wp-config.php:2: calls parse_url()"},
	"Azure": {php: "<?php\n$host = ''; $name = ''; $user = ''; $pass = '';\nforeach ($_SERVER as $key => $value) {\n  if (strpos($key, 'MYSQLCONNSTR_') !== 0) { continue; }\n  $host = preg_replace('/^.*Source=(.+?);.*$/', '\\\\1', $value);\n" +
		"  $name = 'x'; $user = 'x'; $pass = 'x';\n}\ndefine('DB_NAME', $name); define('DB_USER', $user); define('DB_PASSWORD', $pass); define('DB_HOST', $host);\n$table_prefix = 'wp_';\n",
		asks: "DB_NAME DB_USER DB_PASSWORD DB_HOST", why: "wp-config.php:3: is PHP that rowhook does not read: foreach"},
	"unset of an element": {php: "<?php\n$c = ['user' => 'a'];\nunset($c['user']);\ndefine('DB_NAME', 'n'); define('DB_USER', $c['user'] ?? 'b'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h');\n$table_prefix = 'wp_';\n",
		asks: "DB_USER", why: "wp-config.php:3: is PHP that rowhook does not read: unset"},
	"Lando": {php: "<?php\n$info = json_decode(getenv('LANDO_INFO'), true);\n$db = $info['database'];\ndefine('DB_NAME', $db['creds']['database']); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h');\n$table_prefix = 'wp_';",
		asks: "DB_NAME", why: "wp-config.php:2: calls json_decode()"},
	"dotenv": {php: "<?php\nrequire __DIR__ . '/load.php';\n(new Loader)->load(__DIR__ . '/.env');\ndefine('DB_NAME', $_ENV['A_NAME'] ?? 'wordpress');\ndefine('DB_USER', getenv('A_USER') ?: 'root');\n" +
		"define('DB_PASSWORD', $_SERVER['A_PASSWORD'] ?? '');\ndefine('DB_HOST', 'localhost');\n$table_prefix = 'wp_';\n-- load.php\n<?php class Loader { function load($f) { } }\n",
		asks: "DB_NAME DB_USER DB_PASSWORD", why: "wp-config.php:3: "},
	"by host, in a switch": {php: "<?php\nswitch ($_SERVER['HTTP_HOST']) {\n  case 'localhost':\n  case 'shop.test':\n    define('DB_NAME', 'dev'); define('DB_USER', 'root'); define('DB_PASSWORD', '');\n    break;\n" +
		"  case 'staging.example.com':\n    define('DB_NAME', 'staging'); define('DB_USER', 's'); define('DB_PASSWORD', 's');\n    break;\n  default:\n    define('DB_NAME', 'live'); define('DB_USER', 'l'); define('DB_PASSWORD', 'l');\n}\n" +
		"define('DB_HOST', 'localhost');\n$table_prefix = 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';", host: "www.example.com", says: "l l localhost live wp_"},
	"by host, nobody says which": {php: "<?php\nswitch ($_SERVER['SERVER_NAME']) {\n  case 'a': define('DB_NAME', 'a'); break;\n  default: define('DB_NAME', 'b');\n}\ndefine('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h'); $table_prefix = 'wp_';",
		asks: "HTTP_HOST", why: "wp-config.php:2: depends on $_SERVER['SERVER_NAME']"},
	"by host, in a list": {php: "<?php\n$local = array('127.0.0.1', 'localhost');\nif (in_array($_SERVER['HTTP_HOST'], $local) || strstr($_SERVER['HTTP_HOST'], '.local') || substr($_SERVER['HTTP_HOST'], -5) == '.test') {\n  define('WP_ENV', 'dev');\n} else {\n" +
		"  define('WP_ENV', 'live');\n}\nrequire __DIR__ . '/wp-config.' . WP_ENV . '.php';\n$table_prefix = 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';\n-- wp-config.live.php\n" +
		"<?php\ndefine('DB_NAME', 'live'); define('DB_USER', 'l'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'db1');\n-- wp-config.dev.php\n<?php\ndefine('DB_NAME', 'dev');", host: "example.com", says: "l p db1 live wp_"},
	"a local file, or else": {php: "<?php\nif ( file_exists( dirname( __FILE__ ) . '/local-config.php' ) ) {\n\tdefine( 'WP_LOCAL_DEV', true );\n\tinclude( dirname( __FILE__ ) . '/local-config.php' );\n} else {\n\tdefine( 'WP_LOCAL_DEV', false );\n" +
		"\tdefine( 'DB_NAME', 'live' ); define( 'DB_USER', 'l' ); define( 'DB_PASSWORD', 'p' ); define( 'DB_HOST', 'localhost' );\n}\n$table_prefix  = 'wp_';\nini_set( 'display_errors', 0 );\nif ( WP_LOCAL_DEV ) { error_reporting( E_ALL ); }\n" +
		"require_once( ABSPATH . 'wp-settings.php' );", says: "l p localhost live wp_"},
	"settings that a file returns": {php: "<?php\n$config = require realpath(__DIR__) . '/db.php';\nforeach ($config['salts'] as $salt) { $x = $salt; }\ndefine('DB_NAME', $config['db']['name']);\ndefine('DB_USER', $config['db']['user'] ?? 'none');\n" +
		"define('DB_PASSWORD', $config['db']['pass'] ?: 'none');\ndefine('DB_HOST', sprintf('%s:%d', $config['db']['host'], $config['db']['port']));\n$table_prefix = $config['prefix'];\nrequire_once ABSPATH . 'wp-settings.php';\n" +
		"-- db.php\n<?php\nreturn array(\n  'db' => array('name' => 'n', 'user' => 'u', 'pass' => 'p', 'host' => '10.0.0.5', 'port' => 3307),\n  'salts' => [],\n  'prefix' => 'z_',\n);", says: "u p 10.0.0.5:3307 n z_"},
	"two deep": {php: "<?php\nrequire_once dirname(__FILE__, 1) . '/conf/site.php';\nrequire_once ABSPATH . 'wp-settings.php';\n-- conf/site.php\n<?php\n$GLOBALS['table_prefix'] = 'wp_';\n" +
		"require_once __DIR__ . '/../conf/secret.php';\ndefine('DB_NAME', 'n');\n-- conf/secret.php\n<?php\nconst DB_USER = 'u', DB_PASSWORD = 'p';\ndefine(\"DB_HOST\", \"[2001:db8::1]:3307\");\n?>\n", says: "u p [2001:db8::1]:3307 n wp_"},
	"beside the folder": {php: "<?php\nif (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }\nrequire_once(ABSPATH . 'sub/../secrets.php');\nrequire_once(ABSPATH . 'wp-settings.php');\n-- secrets.php\n" +
		"<?php\ndefine('DB_NAME','n');define('DB_USER','u');define('DB_PASSWORD','p');define('DB_HOST','localhost:/tmp/mysql5.sock');$table_prefix='wp_';\n-- sub/x\n", says: "u p localhost:/tmp/mysql5.sock n wp_"},
	"secrets of Docker": {php: "<?php\ndefine('DB_NAME', 'n'); define('DB_USER', 'u');\ndefine('DB_PASSWORD', rtrim(file_get_contents(getenv('A_FILE') ?: __DIR__ . '/db_password')));\ndefine('DB_HOST', getenv('A_HOST') ?: 'db'); $table_prefix = 'wp_';\n" +
		"require_once ABSPATH . 'wp-settings.php';\n-- db_password\ns3cret\n", says: "u s3cret db n wp_"},
	"heredoc from Windows": {php: "<?php\r\ndefine('DB_PASSWORD', <<<EOT\r\npa\"ss\r\nEOT\r\n);\r\ndefine('DB_USER', <<<'N'\r\n  u$x\r\n  N);\r\ndefine('DB_NAME', \"n\");\r\ndefine('DB_HOST', 'h');\r\n$table_prefix = 'wp_';\r\nrequire_once ABSPATH . 'wp-settings.php';\r\n",
		says: `u$x pa"ss h n wp_`},
	"nullish chains": {php: "<?php\ndefine('DB_NAME', $_ENV['A_NAME'] ?? $_SERVER['A_NAME'] ?? (getenv('A_NAME') ?: 'n')); $c ??= 'u'; define('DB_USER', $c ?: 'x'); define('DB_PASSWORD', ($d['x'] ?? null) ?? 'p');\n" +
		"define('DB_HOST', true ? (false ? 'a' : 'h') : 'b'); $table_prefix = 'wp' . '_';\nrequire_once ABSPATH . 'wp-settings.php';", says: "u p h n wp_"},
	"behind a proxy": {php: "<?php\nif (isset($_SERVER['HTTP_X_FORWARDED_PROTO']) && strpos($_SERVER['HTTP_X_FORWARDED_PROTO'], 'https') !== false) { $_SERVER['HTTPS'] = 'on'; }\n" +
		"if (!empty($_SERVER['HTTP_X_FORWARDED_FOR'])) { $list = explode(',', $_SERVER['HTTP_X_FORWARDED_FOR']); $_SERVER['REMOTE_ADDR'] = $list[0]; }\n" +
		"define('DB_NAME', 'n'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h'); $table_prefix = 'wp_';\ndefine('WP_HOME', 'https://' . $_SERVER['HTTP_HOST']);\nrequire_once ABSPATH . 'wp-settings.php';", says: "u p h n wp_"},
	"network": {php: "<?php\ndefine('DB_NAME', 'n'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h'); $table_prefix = 'wp_';\ndefine('WP_ALLOW_MULTISITE', true);\ndefine('MULTISITE', true);\ndefine('SUBDOMAIN_INSTALL', true);\n" +
		"$base = '/';\ndefine('DOMAIN_CURRENT_SITE', $_SERVER['HTTP_HOST']);\ndefine('PATH_CURRENT_SITE', '/');\ndefine('SITE_ID_CURRENT_SITE', 1);\nrequire_once ABSPATH . 'wp-settings.php';", says: "u p h n wp_"},
	"command line": {php: "<?php\nif (defined('WP_CLI') && WP_CLI && !isset($_SERVER['HTTP_HOST'])) { $_SERVER['HTTP_HOST'] = 'example.com'; }\nif (php_sapi_name() === 'cli') { ini_set('memory_limit', '1G'); }\nset_time_limit(30); date_default_timezone_set('UTC');\n" +
		"define('DB_NAME', 'n'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h'); $table_prefix = 'wp_'; if (file_exists(ABSPATH . '.maintenance.x')) { http_response_code(503); die('later'); }\nrequire_once ABSPATH . 'wp-settings.php';",
		says: "u p h n wp_"},
	"tags open and close": {php: "#!/usr/bin/env php\n<?PHP if (true): ?>\n<!-- define('DB_NAME', 'x') -->\n<?php define('DB_NAME', 'n') ?>\n<?php else: define('DB_NAME', 'y'); endif ?>\n" +
		"<?php // done ?><?php define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h'); $table_prefix = 'wp_'; require_once ABSPATH . 'wp-settings.php' ?>", says: "u p h n wp_"},
	"a list of constants": {php: "<?php\n$settings = ['DB_NAME' => 'n', 'DB_USER' => 'u', 'DB_PASSWORD' => 'p', 'DB_HOST' => 'h'];\nforeach ($settings as $key => $value) {\n  define($key, $value);\n}\n$table_prefix = 'wp_';\n",
		asks: "DB_NAME DB_USER DB_PASSWORD DB_HOST", why: "wp-config.php:3: is PHP that rowhook does not read: foreach"},
	"named arguments": {php: "<?php\ndefine(constant_name: 'DB_NAME', value: 'n'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h'); $table_prefix = 'wp_';",
		asks: "DB_NAME", why: "wp-config.php:2: is PHP that rowhook does not read: define"},
	"an encrypted password": {php: "<?php\ndefine('DB_NAME', 'n'); define('DB_USER', 'u');\ndefine('DB_PASSWORD', openssl_decrypt(base64_decode('eA=='), 'aes-128-cbc', 'k'));\ndefine('DB_HOST', 'h'); $table_prefix = 'wp_';",
		asks: "DB_PASSWORD", why: "wp-config.php:3: calls openssl_decrypt()"},
	"a computed prefix": {php: "<?php\ndefine('DB_NAME', 'n'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h');\n$table_prefix = 'wp_' . substr(md5(__DIR__), 0, 4) . '_';",
		asks: "table_prefix", why: "wp-config.php:3: calls md5()"},
}

// written makes the folder of a form.
func (f form) written(t *testing.T) (root string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(f.php, "\n-- ")
	write(t, filepath.Join(root, "wp-config.php"), parts[0])
	write(t, filepath.Join(root, "wp-settings.php"), "<?php\n")
	for _, p := range parts[1:] {
		name, text, _ := strings.Cut(p, "\n")
		write(t, filepath.Join(root, name), text)
	}
	return root
}

// TestForms reads each form, or says where it takes PHP and what to give. TestFormsAsPHP compares with PHP.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		f := forms[name]
		got, err := Read(f.written(t), Options{Env: environment(f.env), Host: f.host})
		u, asks := errors.AsType[*UnknownError](err)
		switch {
		case f.says != "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case f.says != "":
			if said := strings.Join([]string{got.User, got.Password, got.Host, got.Name, got.Prefix}, " "); said != f.says {
				t.Errorf("%s: got %q, want %q", name, said, f.says)
			}
		case !asks || strings.Join(u.Asks(), " ") != f.asks:
			t.Errorf("%s: got %+v, %v, want to be asked for %s", name, got, err, f.asks)
		default:
			for _, d := range u.Doubts {
				if !strings.Contains(d.String(), f.why) {
					t.Errorf("%s: %q does not say %q", name, d, f.why)
				}
			}
			said := map[string]bool{}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				reason, _, _ := strings.Cut(line, " (for ")
				if said[reason] {
					t.Errorf("%s: %q is said twice: %v", name, reason, err)
				}
				said[reason] = true
			}
		}
	}
}
