//go:build matrix

package wpconfig

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAsPHP compares with what PHP itself says of each file.
func TestAsPHP(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(odd)) {
		c := odd[name]
		compare(t, name, site(t, c.php), c.host, c.env)
	}
	root := site(t, "")
	write(t, filepath.Join(root, "wp-config.php"), "\xef\xbb\xbf<?php define('DB_USER', 'wp');"+after)
	compare(t, "byte order mark", root, "", nil)
}

// TestFormsAsPHP compares what is read of each form with what PHP itself says of it.
func TestFormsAsPHP(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		if f := forms[name]; f.says != "" {
			compare(t, name, f.written(t), f.host, f.env)
		}
	}
}

// compare reads a site's file, and has PHP read it.
func compare(t *testing.T, name, root, host string, env map[string]string) *Config {
	t.Helper()
	got, err := Read(root, Options{Env: environment(env), Host: host})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	want := php(t, name, root, host, env)
	if got.User != want.User || got.Name != want.Name || got.Password != want.Password || got.Host != want.Host || got.Prefix != want.Prefix {
		t.Errorf("%s: got %+v, PHP says %+v", name, *got, want)
	}
	return got
}

// php is what PHP says of a site's settings.
func php(t *testing.T, name, root, host string, env map[string]string) (said Config) {
	t.Helper()
	const script = `<?php error_reporting(E_ERROR | E_PARSE);
	chdir($argv[1]); define('ABSPATH', $argv[1] . '/'); if ($argv[2] !== '') $_SERVER['HTTP_HOST'] = $argv[2];
	ob_start(); require $argv[1] . '/wp-config.php';`
	const settings = `<?php ob_end_clean();
	echo json_encode(array_map('base64_encode', ['User' => DB_USER, 'Name' => DB_NAME, 'Password' => DB_PASSWORD, 'Host' => DB_HOST, 'Prefix' => $table_prefix])); exit;`
	file := filepath.Join(t.TempDir(), "say.php")
	write(t, file, script)
	write(t, filepath.Join(root, "wp-settings.php"), settings) // by then WordPress has them all
	cmd := exec.CommandContext(t.Context(), "php", "-n", "-d", "variables_order=EGPCS", "-d", "short_open_tag=0", file, root, host)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("php, which this test needs (tools/need.sh php installs it), %s: %v\n%s", name, err, out)
	}
	var fields struct{ User, Name, Password, Host, Prefix []byte }
	if err := json.Unmarshal(bytes.TrimSpace(out), &fields); err != nil {
		t.Fatalf("php said %q: %v", out, err)
	}
	return Config{User: string(fields.User), Name: string(fields.Name), Password: string(fields.Password), Host: string(fields.Host), Prefix: string(fields.Prefix)}
}

// TestDebian reads the wp-config.php of Debian's package, which looks for a file of the host's own in /etc/wordpress, and then
// for that of all hosts.
func TestDebian(t *testing.T) {
	t.Parallel()
	root, etc := site(t, ""), t.TempDir()
	unpacked := os.Getenv("ROWHOOK_WORDPRESS") // tools/get-wordpress.sh
	if unpacked == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		unpacked = filepath.Join(cache, "rowhook-wordpress")
	}
	packaged, err := os.ReadFile(filepath.Join(unpacked, "usr/share/wordpress/wp-config.php"))
	if err != nil {
		t.Fatalf("%v: tools/get-wordpress.sh downloads it", err)
	}
	write(t, filepath.Join(root, "wp-config.php"), strings.ReplaceAll(string(packaged), "/etc/wordpress/", etc+"/"))
	example, err := os.ReadFile(filepath.Join(unpacked, "usr/share/doc/wordpress/examples/config-default.php"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(etc, "config-default.php"), strings.ReplaceAll(string(example), "localhost", "127.0.0.1:3307"))
	write(t, filepath.Join(etc, "config-salon.example.com.php"), "<?php define('DB_NAME', 'salon'); define('DB_PASSWORD', 'x');")
	if c := compare(t, "of all hosts", root, "www.other.org:8080", nil); c != nil && (c.Name != "database_name_here" || c.Host != "127.0.0.1:3307") {
		t.Errorf("of all hosts: got %+v", c)
	}
	for _, host := range []string{"salon.example.com", "www.Salon.Example.com"} {
		if c := compare(t, host, root, host, nil); c != nil && (c.Name != "salon" || c.User != "wordpress" || c.Prefix != "wp_") {
			t.Errorf("%s: got %+v", host, c)
		}
	}
	if _, err := Read(root, Options{Env: environment(nil)}); err == nil || !strings.Contains(err.Error(), "$_SERVER['HTTP_HOST']") {
		t.Errorf("without the host: %v", err)
	}
	sample, err := os.ReadFile(filepath.Join(unpacked, "usr/share/wordpress/wp-config-sample.php"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "wp-config.php"), string(sample))
	if c := compare(t, "the sample", root, "", nil); c != nil && (c.Name != "database_name_here" || c.Charset != "utf8") {
		t.Errorf("the sample: got %+v", c)
	}
}
