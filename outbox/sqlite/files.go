package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// The files of an outbox: SQLite's own are named after fileName.
var fileNames = []string{fileName, fileName + "-wal", fileName + "-shm", fileName + "-journal", lockName}

// checkFiles refuses a directory where something else than a plain file of its own bears one of our names. A link, symbolic
// or hard, would have us read and write a file elsewhere. Who may write to the directory can still put one there a moment
// later: SQLite follows no symbolic link, but for privileged users only becoming the directory's owner helps.
func checkFiles(dir string) error {
	for _, name := range fileNames {
		info, err := os.Lstat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := plain(info); err != nil {
			return err
		}
	}
	return nil
}

// errNotPlain says that a file of an outbox is none.
var errNotPlain = errors.New("rowhook has only plain files of its own in state_dir; find out who put it there, and remove it")

// plain refuses what is no regular file, and one that has a second name.
func plain(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: %w", info.Name(), errNotPlain)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file: %w", info.Name(), errNotPlain)
	case ok && st.Nlink > 1:
		return fmt.Errorf("%s has another name elsewhere, a hard link: %w", info.Name(), errNotPlain)
	}
	return nil
}

// openPlain opens a file of dir that is plain, and of its owner alone. No link is followed.
func openPlain(dir, name string, flags int) (*os.File, error) {
	const private = 0o600
	f, err := os.OpenFile(filepath.Join(dir, name), flags|unix.O_NOFOLLOW|unix.O_NONBLOCK, private)
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link: %w", name, errNotPlain)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = plain(info)
	}
	if err == nil && info.Mode().Perm() != private {
		_ = f.Chmod(private) // another user's, whom we can only look over the shoulder
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// makePrivate makes the files readable by their owner alone, for they hold personal data. Files that are not there are left
// alone.
func makePrivate(dir string) {
	for _, name := range fileNames {
		if f, err := openPlain(dir, name, os.O_RDONLY); err == nil {
			_ = f.Close()
		}
	}
}
