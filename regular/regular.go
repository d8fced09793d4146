// Package regular opens files in folders that others may write to: a site's, above all. What is no regular file there may block who
// opens it for ever, as a pipe does, or do something, as a device does. It imports nothing of ours.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ErrIrregular is what stands where a file should be: a folder, a pipe, a device.
var ErrIrregular = errors.New("is no regular file")

// Open opens a file for reading. What is none is not opened, and never waited for: also not when it takes a file's place meanwhile.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, irregular(path)
	}
	return open(path)
}

// open looks at what it has opened.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = irregular(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func irregular(path string) error {
	return &fs.PathError{Op: "open", Path: path, Err: ErrIrregular}
}
