package config

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// reference is a part of a value that stands for something outside of the file.
var reference = regexp.MustCompile(`\$\{[^}]*\}`)

// Literal is the scalar value of a key as written, without what it takes in from outside of the file.
func (s *Source) Literal(key string) string { return reference.ReplaceAllString(s.Raw(key), "") }

// Secret says that the value of a key is secret, so that a file in which it is written, in whole or in part, holds a secret.
func (s *Source) Secret(key string) {
	if s.Literal(key) != "" {
		s.secret = true
	}
}

// Holds says that a file of the source's, or the source itself, has a secret written in it: path is as ReadBeside returns it, or empty.
func (s *Source) Holds(path string) { s.files = append(s.files, cmp.Or(path, s.path)) }

// SecretFiles are the files that hold secrets: this one, when a value that was given to Secret is written in it, and those that
// ${file:PATH} and ${credential:NAME} stand for.
func (s *Source) SecretFiles() []string {
	files := slices.Clone(s.files)
	if s.secret {
		files = append(files, s.path)
	}
	return files
}

// SecretFiles are the files that hold what the login needs: the password and the private key.
func (d Database) SecretFiles() []string { return d.login.secretFiles }

// Exposed are those of the files that everybody on this machine has one of the rights to, by their mode: 0o004 is reading, 0o002
// is writing. Files that are not there are not, nor those in folders that are closed to others.
func Exposed(files []string, rights fs.FileMode) (exposed []string) {
	files = slices.Clone(files)
	slices.Sort(files)
	for _, file := range slices.Compact(files) {
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&rights != 0 && reachable(file) {
			exposed = append(exposed, file)
		}
	}
	return exposed
}

// reachable says whether everybody gets to a file: the folders that it is really in let them pass. Where that cannot be known they do.
func reachable(file string) bool {
	path, err := filepath.EvalSymlinks(file)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	for dir := filepath.Dir(path); err == nil; dir = filepath.Dir(dir) {
		var info fs.FileInfo
		if info, err = os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
	return true
}
