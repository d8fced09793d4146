// Package scratch keeps what large transactions hold in files without a name: whatever ends the process takes them along.
// Nothing in them need survive a crash, for the log has it.
package scratch

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// File is a scratch file; an *os.File.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// Files makes scratch files. A nil Files makes none: then everything stays in memory.
type Files func() (File, error)

// In makes scratch files in a directory.
func In(dir string) Files {
	return func() (File, error) {
		f, err := os.CreateTemp(dir, "scratch-")
		if err != nil {
			return nil, err
		}
		if err := os.Remove(f.Name()); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return f, nil
	}
}

// Error says that a scratch file cannot be made, written or read.
type Error struct{ err error }

func (e *Error) Error() string {
	text := "using a scratch file: " + e.err.Error()
	if errors.Is(e.err, syscall.ENOSPC) || errors.Is(e.err, syscall.EDQUOT) {
		text += ": the disk is full; nothing is lost, and it goes on when there is room again"
	}
	return text
}

func (e *Error) Unwrap() error { return e.err }
