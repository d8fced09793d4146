package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// explain adds the file and, where a person can fix it, what to do.
func explain(doing, path string, err error) error {
	for _, plain := range []error{nil, outbox.ErrClosed, outbox.ErrChanged, outbox.ErrNotFound, outbox.ErrErased,
		context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, plain) {
			return err // nothing about the file
		}
	}
	if isDamage(err) {
		return &damage{fmt.Errorf("%s %s: %w: the file is damaged, or a copy that sqlite3 made, without the checksums; stop rowhook and put a backup "+
			"back, or begin without one (docs/operations.md, Restore)", doing, path, err)}
	}
	if advice := advise(path, err); advice != "" {
		return fmt.Errorf("%s %s: %w: %s", doing, path, err, advice)
	}
	return fmt.Errorf("%s %s: %w", doing, path, err)
}

// isDamage tells whether SQLite finds the file damaged.
func isDamage(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB) || errors.Is(err, sqlite3.IOERR_DATA) // the last: a checksum
}

// damage is an error that says so, as outbox.ErrDamaged.
type damage struct{ error }

func (d *damage) Unwrap() []error { return []error{d.error, outbox.ErrDamaged} }

// lowSpace is how little room on a disk explains a failed write.
const lowSpace = 64 << 20

func advise(path string, err error) string {
	switch {
	case errors.Is(err, sqlite3.FULL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full; nothing is lost, and it goes on when there is room again"
	case errors.Is(err, sqlite3.IOERR): // the driver reports a full disk as any other failed write
		if room, ok := freeSpace(path); ok && room < lowSpace {
			return fmt.Sprintf("the disk is full (%d KB are free); nothing is lost, and it goes on when there is room again", room>>10)
		}
		return "the disk reports an error; look at the kernel's log"
	case errors.Is(err, sqlite3.BUSY):
		return "another program has a transaction open on the file (sqlite3?); end it"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS),
		errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.PERM):
		return "the state directory and the files in it must belong to the user rowhook runs as, and be writable"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrNotExist), errors.Is(err, sqlite3.CANTOPEN):
		return "state_dir must name a directory rowhook can write to"
	}
	return ""
}

// freeSpace is how many bytes may still be written to the disk of path.
func freeSpace(path string) (bytes int64, ok bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * st.Bsize, true
}
