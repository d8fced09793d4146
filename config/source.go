package config

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Error is one fault of a file, and what to do about it.
type Error struct {
	File    string
	Line    int    // 0: the fault is the file's
	Key     string // path of the key, rules[2].url; empty: the fault is the file's
	Message string // what is wrong; what to do
	err     error  // of the operating system, where File itself cannot be read
	away    bool   // a file that the key names cannot be read
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(e.Line))
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Unwrap is the error of the operating system where there is one.
func (e *Error) Unwrap() error { return e.err }

// Away says whether an error is only that files cannot be read, also those that a file names: they lie on a disk that is not there yet,
// most likely, and nothing may be wrong with what is written.
func Away(err error) bool {
	faults := Errors(err)
	return len(faults) > 0 && !slices.ContainsFunc(faults, func(f *Error) bool { return !f.away && !isAway(f.err) })
}

func isAway(err error) bool {
	_, bySystem := errors.AsType[syscall.Errno](err)
	return bySystem || errors.Is(err, fs.ErrNotExist)
}

// Missing is the error of files of which there is none.
func Missing(file, key, message string) *Error {
	return &Error{File: file, Key: key, Message: message, away: true}
}

// Errors is every *Error that was joined or wrapped into err.
func Errors(err error) []*Error {
	switch e := err.(type) { //nolint:errorlint // it walks the whole tree itself
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, one := range e.Unwrap() {
			all = append(all, Errors(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return Errors(e.Unwrap())
	}
	return nil
}

// maxFaults bounds how many faults of one file are reported.
const maxFaults = 50

// Source is where the values of a decoded file were written. Checks that the decoder cannot make hand their findings to
// Faultf, so that they name file, line and key as the decoder's own do.
type Source struct {
	path   string
	places map[string]place
	faults []*Error
	secret bool     // a value that is secret is written in it
	files  []string // what ${file:PATH} and ${credential:NAME} stand for
	sum    [sha256.Size]byte
	beside map[string]besideFile // by key, as they were when they were read first
}

// besideFile is a file that a key names.
type besideFile struct{ path, text string }

// Apart is the source as it was read, without the faults so far, for a check that is made when more is known.
func (s *Source) Apart() *Source {
	apart := *s
	apart.faults, apart.files = nil, nil
	return &apart
}

// Sum is the SHA-256 of the file as it was read.
func (s *Source) Sum() []byte { return s.sum[:] }

// place is where a key stands and the text of its value as written: before expansion, so that no message shows a
// secret that came from the environment or from a file.
type place struct {
	line int
	raw  string
	text int  // the line that raw begins in
	all  bool // each line of raw is one of the file: of a block that begins with |
	null bool // the key is there, but nothing behind it: as good as not set
}

// Has says whether the file sets a key. A path names it: deliver.timeout, rules[2].url.
func (s *Source) Has(key string) bool {
	p, ok := s.places[key]
	return ok && !p.null
}

// Raw is the scalar value of a key as written, before expansion.
func (s *Source) Raw(key string) string { return s.places[key].raw }

// Quote is Raw in quotes and cut to a length fit for a message.
func (s *Source) Quote(key string) string { return quote(s.Raw(key)) }

// Place is where a key stands, file:line. A key that is not set stands where the value around it begins.
func (s *Source) Place(key string) string { return s.path + ":" + strconv.Itoa(s.line(key)) }

func (s *Source) line(key string) int {
	for {
		if p, ok := s.places[key]; ok {
			return p.line
		}
		if key == "" {
			return 1
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
}

// LineOf is the line of the file in which a line of a key's text stands, from 1; where YAML folds lines, the first one.
func (s *Source) LineOf(key string, line int) int {
	p, ok := s.places[key]
	switch {
	case !ok || p.text == 0:
		return s.line(key)
	case p.all && line > 1:
		return p.text + line - 1
	}
	return p.text
}

// Faultf records that a key's value is wrong. The message says what is wrong and, behind a semicolon, what to do. An error among args
// is wrapped with %w, for Away.
func (s *Source) Faultf(key, format string, args ...any) {
	s.because(s.line(key), key, fmt.Errorf(format, args...))
}

// FaultAt is Faultf for a place below a key, in a value that was read otherwise (Tree).
func (s *Source) FaultAt(line int, key, format string, args ...any) {
	s.because(line, key, fmt.Errorf(format, args...))
}

// FaultIn is FaultAt for a place in another file, which a key of this one names.
func (s *Source) FaultIn(path string, line int, key, format string, args ...any) {
	before := len(s.faults)
	s.because(line, key, fmt.Errorf(format, args...))
	for _, f := range s.faults[before:] {
		f.File = path
	}
}

// ReadBeside is the text of a file that a key names, by a path that starts from this file's folder, and that path in full; false
// when it cannot be read or is larger than most, in bytes, which is a fault of the key.
func (s *Source) ReadBeside(key, path string, most int64) (text, full string, ok bool) {
	if known, is := s.beside[key]; is {
		return known.text, known.path, true
	}
	if path == "" {
		s.Faultf(key, "is empty; name a file, or remove it")
		return "", "", false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(s.path), path)
	}
	content, err := readFile(path, most)
	if err == nil && !utf8.Valid(content) {
		err = errors.New("is not UTF-8 text")
	}
	if err != nil {
		s.Faultf(key, "names the file %s, which %w", quote(path), err)
		return "", "", false
	}
	if s.beside == nil {
		s.beside = map[string]besideFile{}
	}
	s.beside[key] = besideFile{path, string(content)}
	return string(content), path, true
}

func (s *Source) fault(line int, key, message string) { s.because(line, key, errors.New(message)) }

// because records a fault whose cause an error may wrap.
func (s *Source) because(line int, key string, err error) {
	switch {
	case len(s.faults) < maxFaults:
		s.faults = append(s.faults, &Error{File: s.path, Line: line, Key: key, Message: err.Error(), away: isAway(err)})
	case len(s.faults) == maxFaults:
		s.faults = append(s.faults, &Error{File: s.path, Line: line, Message: "has more faults than are shown; fix these first"})
	}
}

// Err is every fault recorded so far, joined in the order of their lines, nil when there is none.
func (s *Source) Err() error {
	slices.SortStableFunc(s.faults, func(a, b *Error) int { return cmp.Or(s.elsewhere(a)-s.elsewhere(b), cmp.Compare(a.Line, b.Line)) })
	errs := make([]error, len(s.faults))
	for i, f := range s.faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// elsewhere is 1 of a fault in another file, else 0.
func (s *Source) elsewhere(e *Error) int {
	if e.File == s.path {
		return 0
	}
	return 1
}

// quote shows a text from outside on one line and in bounded length.
func quote(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "..."
	}
	return strconv.Quote(text)
}
