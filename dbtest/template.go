package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// redoLogSize is given when the template is made and when a server starts: another size costs a rebuild at start.
const redoLogSize = "--innodb-log-file-size=16M"

// lockDown leaves root on the socket alone, which lies in a directory that only the owner enters.
const lockDown = "DELETE FROM mysql.global_priv WHERE NOT (Host = 'localhost' AND User IN ('root', 'mariadb.sys'));\n"

// copyTemplate makes the data directory of a new server.
func copyTemplate(ctx context.Context, data string) error {
	source, err := template(ctx)
	if err != nil {
		return err
	}
	if err := copyTree(data, source); err != nil {
		return fmt.Errorf("copying %s: %w", source, err)
	}
	return nil
}

// template is an initialised data directory for the server version of this machine. The first process to need it makes
// it; others wait for its lock.
func template(ctx context.Context) (string, error) {
	server, err := find("mariadbd")
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, server, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", server, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, fmt.Sprintf("rowhook-dbtest-%d", os.Getuid()))
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	key := sha256.Sum256([]byte(string(version) + redoLogSize + lockDown))
	dir := filepath.Join(cache, "data-"+hex.EncodeToString(key[:8]))

	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	return dir, makeTemplate(ctx, dir)
}

// makeTemplate initialises dir; it is there whole or not at all.
func makeTemplate(ctx context.Context, dir string) error {
	install, err := find("mariadb-install-db")
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	extra := filepath.Join(work, "extra.sql")
	if err := os.WriteFile(extra, []byte(lockDown), 0o600); err != nil {
		return err
	}
	data := filepath.Join(work, "data")
	args := []string{
		"--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
		"--extra-file=" + extra, redoLogSize,
	}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := exec.CommandContext(ctx, install, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	return os.Rename(data, dir)
}

// find looks for a program of the database server, also where only root's PATH leads.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no %s on this machine; install MariaDB's server: apt-get install mariadb-server", name)
}

// copyTree copies the directories and plain files below src to dst, which must not exist.
func copyTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dst, strings.TrimPrefix(path, src))
		if d.IsDir() {
			return os.Mkdir(target, 0o700)
		}
		return copyFile(target, path)
	})
}

func copyFile(dst, src string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
