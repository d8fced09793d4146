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
	"path/filepath"
	"strings"
	"syscall"
)

// lockDown leaves root on the socket alone, which lies in a directory that only the owner enters.
const lockDown = "DELETE FROM mysql.global_priv WHERE NOT (Host = 'localhost' AND User IN ('root', 'mariadb.sys'));\n"

// copyTemplate makes the data directory of a new server.
func (p program) copyTemplate(ctx context.Context, data string) error {
	source, err := p.template(ctx)
	if err != nil {
		return err
	}
	if err := copyTree(data, source); err != nil {
		return fmt.Errorf("copying %s: %w", source, err)
	}
	return nil
}

// template is an initialised data directory for this version of the server. The first process to need it makes it;
// others wait for its lock.
func (p program) template(ctx context.Context) (string, error) {
	version, err := p.command(ctx, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", p.kind, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, fmt.Sprintf("rowhook-dbtest-%d", os.Getuid()))
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	key := sha256.Sum256([]byte(string(version) + p.redoLogSize() + lockDown))
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
	return dir, p.makeTemplate(ctx, dir)
}

// makeTemplate initialises dir; it is there whole or not at all.
func (p program) makeTemplate(ctx context.Context, dir string) error {
	work, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	data := filepath.Join(work, "data")
	if err := p.initialise(ctx, data); err != nil {
		return err
	}
	return os.Rename(data, dir)
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
