// Package scratch keeps what large transactions hold in files without a name: whatever ends the process takes them along.
// Nothing in them need survive a crash, for the log has it.
package scratch

import (
	"errors"
	"io"
	"os"
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
