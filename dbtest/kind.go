package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Kind is a kind of server that tests run against.
type Kind string

// The servers. MariaDB1011 is the one that is installed on the machine; tools/get-server.sh downloads the others.
const (
	MariaDB1011 Kind = "mariadb1011"
	MariaDB118  Kind = "mariadb118"
	MySQL97     Kind = "mysql97"
)

// Servers are all kinds but those that the environment variable ROWHOOK_SKIP_SERVERS names.
func Servers(tb testing.TB) []Kind {
	tb.Helper()
	all := []Kind{MariaDB1011, MariaDB118, MySQL97}
	for _, name := range leftOut() {
		if name == galera {
			continue
		}
		at := slices.Index(all, Kind(name))
		if at < 1 {
			tb.Fatalf("ROWHOOK_SKIP_SERVERS names %s, which may be %s, %s or %s", name, MariaDB118, MySQL97, galera)
		}
		all = slices.Delete(all, at, at+1)
	}
	return all
}

// leftOut are the names in ROWHOOK_SKIP_SERVERS.
func leftOut() []string {
	return strings.FieldsFunc(os.Getenv("ROWHOOK_SKIP_SERVERS"), func(r rune) bool { return r == ' ' || r == ',' })
}

// MySQL says whether the server is a MySQL, not a MariaDB.
func (k Kind) MySQL() bool { return k == MySQL97 }

// program is how the programs of a kind of server are run.
type program struct {
	kind   Kind
	server []string // the server, and the arguments that lead it to its own files
	share  string   // the folder of the SQL that makes system tables; empty for the machine's own server
}

// program finds the server: the machine's own, or a downloaded one, which is run by the loader that came with it.
func (k Kind) program() (program, error) {
	if k == MariaDB1011 {
		path, err := find("mariadbd")
		return program{kind: k, server: []string{path, "--no-defaults"}}, err
	}
	dir, err := serversDir()
	if err != nil {
		return program{}, err
	}
	usr := filepath.Join(dir, string(k), "unpacked", "usr")
	loaders, err := filepath.Glob(filepath.Join(usr, "lib", "*-linux-gnu", "ld-linux-*.so.*"))
	if err != nil || len(loaders) != 1 {
		return program{}, fmt.Errorf("there is no %s in %s: run make servers", k, dir)
	}
	p := program{kind: k, share: filepath.Join(usr, "share", "mariadb")}
	name, more := "mariadbd", []string{"--character-sets-dir=" + filepath.Join(p.share, "charsets")}
	if k.MySQL() {
		p.share = filepath.Join(usr, "share", "mysql")
		name, more = "mysqld", []string{"--secure-file-priv="} // the folder it wants is not on this machine
	}
	p.server = append([]string{
		loaders[0], "--library-path", filepath.Dir(loaders[0]), filepath.Join(usr, "sbin", name), "--no-defaults",
		"--basedir=" + usr, "--lc-messages-dir=" + p.share, "--plugin-dir=" + filepath.Join(usr, "lib", "mysql", "plugin"),
	}, more...)
	return p, nil
}

// serversDir is where tools/get-server.sh puts what it downloads.
func serversDir() (string, error) {
	if dir := os.Getenv("ROWHOOK_SERVERS"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "rowhook-servers"), err
}

// command is the server with arguments. The superuser is allowed to run it.
func (p program) command(ctx context.Context, args ...string) *exec.Cmd {
	all := slices.Concat(p.server[1:], args)
	if os.Geteuid() == 0 {
		all = append(all, "--user=root")
	}
	return exec.CommandContext(ctx, p.server[0], all...)
}

// defaults are arguments for a small, quick server with the binary log that rowhook wants.
func (p program) defaults() []string {
	args := []string{
		"--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=200",
		"--server-id=1", "--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-image=FULL",
		"--innodb-buffer-pool-size=32M", p.redoLogSize(), "--max-allowed-packet=64M",
		"--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0",
		"--performance-schema=OFF", "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_520_ci",
	}
	if p.kind.MySQL() {
		return append(args, "--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON")
	}
	return append(args, "--gtid-strict-mode=OFF")
}

// redoLogSize is given when a template is made and when a server starts: another size costs a rebuild at start.
func (p program) redoLogSize() string {
	if p.kind.MySQL() {
		return "--innodb-redo-log-capacity=16M"
	}
	return "--innodb-log-file-size=16M"
}

// initialise makes a new data directory, in which only root may log in, over the socket and without a password.
func (p program) initialise(ctx context.Context, data string) error {
	switch {
	case p.kind.MySQL():
		out, err := p.command(ctx, "--initialize-insecure", "--datadir="+data, p.redoLogSize()).CombinedOutput()
		if err != nil {
			return fmt.Errorf("initialising %s: %w\n%s", p.kind, err, out)
		}
		// Who has the same one is the same server.
		return os.Remove(filepath.Join(data, "auto.cnf"))
	case p.share == "":
		return p.install(ctx, data)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	sql := []byte("CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n")
	for _, name := range []string{"mariadb_system_tables.sql", "mariadb_performance_tables.sql", "mariadb_system_tables_data.sql"} {
		text, err := os.ReadFile(filepath.Join(p.share, name))
		if err != nil {
			return err
		}
		sql = append(sql, text...)
	}
	cmd := p.command(ctx, "--bootstrap", "--log-warnings=0", "--datadir="+data, p.redoLogSize())
	cmd.Stdin = strings.NewReader(string(sql) + "\n" + lockDown)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initialising %s: %w\n%s", p.kind, err, out)
	}
	return nil
}

// install is initialise for the machine's own server, by its own program.
func (p program) install(ctx context.Context, data string) error {
	install, err := find("mariadb-install-db")
	if err != nil {
		return err
	}
	extra := data + ".sql"
	if err := os.WriteFile(extra, []byte(lockDown), 0o600); err != nil {
		return err
	}
	args := []string{
		"--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
		"--extra-file=" + extra, p.redoLogSize(),
	}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := exec.CommandContext(ctx, install, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	return nil
}

// find looks for a program of the machine's own server, also where only root's PATH leads.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no " + name + " on this machine; install MariaDB's server: apt-get install mariadb-server")
}
