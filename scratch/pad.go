package scratch

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"runtime"
)

const (
	// fileSize is from which size on, in bytes, the next value goes to another file.
	fileSize = 64 << 20
	// writeSize is how much is written at once, in bytes.
	writeSize = 64 << 10
)

// Value is a Blob in a scratch file. The file is closed once nobody refers to any of its values: the garbage collector sees
// to that, as it does for memory.
type Value struct {
	file     File
	at, size int64
	sum      [sha256.Size]byte
}

// Size is how many bytes it is long.
func (v *Value) Size() int64 { return v.size }

// ReadAt reads a part. Its errors, but for io.EOF, are an Error.
func (v *Value) ReadAt(p []byte, off int64) (int, error) {
	n, err := io.NewSectionReader(v.file, v.at, v.size).ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &Error{err}
	}
	return n, err
}

// Sum is the SHA-256 of its bytes.
func (v *Value) Sum() [sha256.Size]byte { return v.sum }

// Is says whether both hold the same bytes.
func (v *Value) Is(o *Value) bool { return v.size == o.size && v.sum == o.sum }

// Holds says whether it holds the bytes of a text.
func (v *Value) Holds(text string) bool {
	return v.size == int64(len(text)) && v.sum == sha256.Sum256([]byte(text))
}

// Pad writes values into scratch files, many into one. Only one goroutine at a time may use it.
type Pad struct {
	files Files
	file  File // nil: the next value begins one
	end   int64
}

// NewPad makes a pad that writes into files; nil when there are none.
func NewPad(files Files) *Pad {
	if files == nil {
		return nil
	}
	return &Pad{files: files}
}

// Put makes a value of what write writes. Errors of the file are an Error, those of write are returned as they are.
func (p *Pad) Put(write func(w io.Writer) error) (*Value, error) {
	if p == nil {
		return nil, &Error{errors.New("there are none")}
	}
	if p.file == nil {
		f, err := p.files()
		if err != nil {
			return nil, &Error{err}
		}
		p.file, p.end = f, 0
	}
	w := &valueWriter{file: p.file, at: p.end, sum: sha256.New()}
	out := bufio.NewWriterSize(w, writeSize)
	if err := write(out); err != nil {
		return nil, err // what was written is written over
	}
	if err := out.Flush(); err != nil {
		return nil, err
	}
	v := &Value{file: p.file, at: p.end, size: w.at - p.end, sum: [sha256.Size]byte(w.sum.Sum(nil))}
	if p.end = w.at; p.end >= fileSize {
		p.file = nil
		runtime.GC() // closes the files that nobody needs any more: few values can fill a disk
	}
	return v, nil
}

type valueWriter struct {
	file File
	at   int64
	sum  hash.Hash
}

func (w *valueWriter) Write(b []byte) (int, error) {
	n, err := w.file.WriteAt(b, w.at)
	w.at += int64(n)
	_, _ = w.sum.Write(b[:n]) // cannot fail
	if err != nil {
		err = &Error{err}
	}
	return n, err
}
