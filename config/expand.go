package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"rowhook/regular"
)

const (
	maxSecretFile = 64 << 10 // bytes of one ${file:PATH}
	maxExpanded   = 4 << 20  // bytes all expansions of one file may add up to
)

// expander replaces ${NAME}, ${file:PATH}, ${credential:NAME} and $$ in values. Its errors never show a value, only what was written.
type expander struct {
	dir   string   // that relative paths start from
	left  int      // bytes that may still be expanded
	files []string // that were read
}

func (e *expander) expand(text string) (string, error) {
	expanded, _, err := e.taking(text)
	return expanded, err
}

// taking is expand, and what was put in.
func (e *expander) taking(text string) (expanded string, taken []string, err error) {
	before, rest, found := strings.Cut(text, "$")
	if !found {
		return text, nil, nil
	}
	var b strings.Builder
	for ; found; before, rest, found = strings.Cut(rest, "$") {
		b.WriteString(before)
		if after, ok := strings.CutPrefix(rest, "$"); ok {
			b.WriteByte('$')
			rest = after
			continue
		}
		inside, after, ok := strings.Cut(rest, "}")
		name, braced := strings.CutPrefix(inside, "{")
		if !ok || !braced {
			return "", nil, errors.New("has a lone $; write $$ for a dollar, ${NAME} for an environment variable")
		}
		value, err := e.lookup(name)
		if err != nil {
			return "", nil, err
		}
		if e.left -= len(value); e.left < 0 {
			return "", nil, fmt.Errorf("expands to too much; a file's values may take in %d MiB", maxExpanded>>20)
		}
		b.WriteString(value)
		taken = append(taken, value)
		rest = after
	}
	b.WriteString(before)
	return b.String(), taken, nil
}

func (e *expander) lookup(name string) (string, error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return e.file(path)
	}
	if credential, ok := strings.CutPrefix(name, "credential:"); ok {
		return e.credential(credential)
	}
	if !isVariable(name) {
		return "", fmt.Errorf("has %s, which is no name of an environment variable; write ${NAME}, ${file:PATH}, or $$ for a dollar",
			quote("${"+name+"}"))
	}
	value, ok := os.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("needs the environment variable %s, which is not set; set it, or write $$ for a dollar", name)
	}
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("needs the environment variable %s, which is not UTF-8 text", name)
	}
	return value, nil
}

// credential is a secret that systemd hands to the service (LoadCredential), and which a person finds in the file that systemd
// read it from: the folder credentials beside the configuration. systemd puts the name that it has for the folder in front.
func (e *expander) credential(name string) (string, error) {
	if name == "" || strings.Trim(name, ".") == "" || strings.ContainsAny(name, "/\x00") {
		return "", fmt.Errorf("has ${credential:%s}, which is no name; write the name of a file in the folder credentials beside the configuration", name)
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		for _, id := range []string{"rowhook_" + name, name} {
			path := filepath.Join(dir, id)
			if _, err := os.Stat(path); err == nil {
				return e.file(path)
			}
		}
	}
	return e.file(filepath.Join("credentials", name))
}

// file is the content of a file without the newline at its end.
func (e *expander) file(path string) (string, error) {
	if path == "" {
		return "", errors.New("has ${file:} without a path; write ${file:PATH}")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(e.dir, path)
	}
	content, err := readFile(path, maxSecretFile)
	if err != nil {
		return "", fmt.Errorf("needs the file %s, which %w", quote(path), err)
	}
	e.files = append(e.files, path)
	if !utf8.Valid(content) {
		return "", fmt.Errorf("needs the file %s, which is not UTF-8 text", quote(path))
	}
	text := strings.TrimSuffix(string(content), "\n")
	return strings.TrimSuffix(text, "\r"), nil
}

// readFile reads a regular file of bounded size; a device or a pipe could block or never end. Its errors continue a
// sentence that names the file.
func readFile(path string, most int64) ([]byte, error) {
	f, err := regular.Open(path)
	if errors.Is(err, regular.ErrIrregular) {
		return nil, errors.New("is not a regular file; name one")
	}
	if err != nil {
		return nil, unreadable(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if int64(len(content)) > most {
		return nil, fmt.Errorf("is larger than %d KiB; make it smaller", most>>10)
	}
	return content, nil
}

// unreadable drops the path from an error whose sentence names it already.
func unreadable(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}

func isVariable(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
