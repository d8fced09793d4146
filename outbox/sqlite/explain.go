package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

// explain adds the file and, where a person can mend it, what to do.
func explain(doing, path string, err error) error {
	if err == nil || errors.Is(err, outbox.ErrClosed) {
		return err
	}
	if advice := advise(err); advice != "" {
		return fmt.Errorf("%s %s: %w: %s", doing, path, err, advice)
	}
	return fmt.Errorf("%s %s: %w", doing, path, err)
}

func advise(err error) string {
	switch {
	case errors.Is(err, sqlite3.FULL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full; nothing is lost and nothing goes on until there is room again"
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return "the file is damaged; stop rowhook and restore a backup, or rescue what it holds with sqlite3's .recover command"
	case errors.Is(err, sqlite3.BUSY):
		return "another program has a transaction open on the file (sqlite3?); end it"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS),
		errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.PERM):
		return "the state directory and the files in it must belong to the user rowhook runs as, and be writable"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, sqlite3.CANTOPEN):
		return "state_dir must name a directory rowhook can write to"
	}
	return ""
}
