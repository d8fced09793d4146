package wpconfig

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// call does what a function of PHP does, where it is one that settings are made with.
func (r *runner) call(x callX) any {
	if r.functions[x.name] {
		for _, a := range x.args {
			r.value(a)
		}
		return r.cloud(r.doubt(x.line, "calls %s(), a function of its own, which only PHP can do", x.name))
	}
	switch x.name {
	case "defined":
		return r.defined(x)
	case "define":
		return r.define(x)
	case "empty":
		return r.empty(x)
	case "extract", "parse_str", "call_user_func", "call_user_func_array", "array_walk", "usort", "array_map":
		return r.cloud(r.doubt(x.line, "calls %s(), which may set anything", x.name))
	}
	if byReference(x.name) {
		why := unknown{r.doubt(x.line, "calls %s(), which only PHP can do", x.name)}
		for i, a := range x.args {
			if _, is := a.(varX); is && (i > 1 || !strings.HasPrefix(x.name, "preg")) {
				r.assign(a, why, x.line)
			}
		}
	}
	args := make([]any, len(x.args))
	texts := make([]string, len(x.args))
	plain := true // all are known, and texts
	for i, a := range x.args {
		args[i] = r.value(a)
		if u, is := args[i].(unknown); is {
			return u
		}
		text, ok := toText(args[i])
		texts[i], plain = text, plain && ok && len(text) <= mostText
	}
	if plain {
		if v, known := r.builtin(x, texts, args); known {
			return v
		}
	}
	return unknown{r.doubt(x.line, "calls %s(), which only PHP can do", x.name)}
}

// byReference says whether a function changes the variables that it is given.
func byReference(name string) bool {
	return slices.Contains([]string{
		"preg_match", "preg_match_all", "settype", "sscanf", "exec", "sort", "rsort", "ksort", "asort", "array_push", "array_pop", "array_shift", "array_unshift", "array_splice",
	}, name)
}

func (r *runner) defined(x callX) any {
	name, why := r.first(x)
	if why != nil {
		return *why
	}
	v, there := r.state.constants[name]
	switch u, is := v.(unknown); {
	case is:
		return unknown{u.why}
	case there:
		return true
	case r.state.cloud != nil:
		return unknown{*r.state.cloud}
	}
	return false
}

// first is a call's first argument as a text.
func (r *runner) first(x callX) (string, *unknown) {
	if len(x.args) == 0 {
		return "", &unknown{r.doubt(x.line, "calls %s() without an argument", x.name)}
	}
	text, why := r.text(x.args[0])
	return strings.TrimPrefix(text, `\`), why
}

func (r *runner) define(x callX) any {
	name, why := r.first(x)
	switch {
	case why != nil:
		return r.cloud(r.doubt(x.line, "defines a constant whose name is not known here: %s", why.why.What))
	case len(x.args) < 2:
		return false
	}
	r.state.define(name, r.value(x.args[1]))
	return true
}

func (r *runner) empty(x callX) any {
	if len(x.args) != 1 {
		return true
	}
	v := r.value(x.args[0])
	if _, is := v.(unknown); is {
		return v
	}
	return !truth(v)
}

// builtin does a function whose arguments are known texts; known is false for one that is not done here.
func (r *runner) builtin(x callX, texts []string, args []any) (v any, known bool) {
	if v, known := r.machine(x, texts); known {
		return v, true
	}
	switch len(texts) {
	case 1:
		return one(x.name, texts[0])
	case 2:
		return two(x.name, texts[0], texts[1], args[1])
	case 3:
		switch x.name {
		case "str_replace":
			if texts[0] == "" {
				return texts[2], true
			}
			return r.bounded(strings.ReplaceAll(texts[2], texts[0], texts[1])), true
		case "preg_replace":
			if re := pattern(texts[0]); re != nil && !strings.ContainsAny(texts[1], `$\`) {
				return r.bounded(re.ReplaceAllLiteralString(texts[2], texts[1])), true
			}
		}
	}
	return nil, false
}

// machine does functions that look at the machine: the environment, and files.
func (r *runner) machine(x callX, texts []string) (v any, known bool) {
	if len(texts) == 0 || len(texts) > 2 {
		return nil, false
	}
	name := texts[0]
	switch x.name {
	case "getenv":
		if v, there := r.environment(name, x.line); there {
			return v, true
		}
		return false, true
	case "putenv":
		key, value, _ := strings.Cut(name, "=")
		r.state.variables[slot("getenv", key)] = value
		return true, true
	case "constant":
		return r.constant(name, x.line), true
	case "file_exists", "is_readable", "is_file", "is_dir":
		info, err := os.Stat(r.find(name))
		switch {
		case name == "" || err != nil:
			return false, true
		case x.name == "is_file":
			return info.Mode().IsRegular(), true
		case x.name == "is_dir":
			return info.IsDir(), true
		}
		return true, true
	case "realpath":
		path, err := filepath.EvalSymlinks(r.find(name))
		if err != nil {
			return false, true
		}
		return path, true
	case "file_get_contents":
		content, err := readFile(r.find(name))
		if err != nil {
			return unknown{r.doubt(x.line, "reads a file: %v", err)}, true
		}
		return r.bounded(content), true
	}
	return nil, false
}

// one is a function of one text.
func one(name, text string) (v any, known bool) {
	switch name {
	case "dirname":
		return dirname(text), true
	case "basename":
		return filepath.Base(text), text != ""
	case "strtolower":
		return lower(text), true
	case "strtoupper":
		return strings.ToUpper(text), ascii(text)
	case "trim":
		return strings.Trim(text, blanks), true
	case "rtrim", "chop":
		return strings.TrimRight(text, blanks), true
	case "ltrim":
		return strings.TrimLeft(text, blanks), true
	case "strlen":
		return int64(len(text)), true
	case "strval":
		return text, true
	case "base64_decode":
		plain, err := base64.StdEncoding.DecodeString(text)
		return string(plain), err == nil
	}
	return nil, false
}

// blanks are what trim() takes away.
const blanks = " \t\n\r\x00\x0b"

// two is a function of two texts; second is the latter as it was.
func two(name, text, other string, second any) (v any, known bool) {
	switch name {
	case "dirname":
		levels, ok := toInt(second)
		if !ok || levels < 1 || levels > mostText {
			return nil, false
		}
		for range levels {
			text = dirname(text)
		}
		return text, true
	case "rtrim", "chop":
		return strings.TrimRight(text, other), trimmable(other)
	case "ltrim":
		return strings.TrimLeft(text, other), trimmable(other)
	case "trim":
		return strings.Trim(text, other), trimmable(other)
	case "str_contains":
		return strings.Contains(text, other), true
	case "str_starts_with":
		return strings.HasPrefix(text, other), true
	case "str_ends_with":
		return strings.HasSuffix(text, other), true
	case "strpos":
		if i := strings.Index(text, other); i >= 0 {
			return int64(i), true
		}
		return false, true
	case "preg_match":
		if re := pattern(text); re != nil {
			if re.MatchString(other) {
				return int64(1), true
			}
			return int64(0), true
		}
	}
	return nil, false
}

// trimmable says whether the characters are single ones; a..z is a range.
func trimmable(characters string) bool {
	return ascii(characters) && !strings.Contains(characters, "..")
}

func ascii(text string) bool {
	return !slices.ContainsFunc([]byte(text), func(c byte) bool { return c >= 0x80 })
}

// lower changes letters of ASCII only, as PHP does.
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// dirname is PHP's: the folder of a path.
func dirname(path string) string {
	trimmed := strings.TrimRight(path, "/")
	i := strings.LastIndexByte(trimmed, '/')
	switch {
	case path == "":
		return ""
	case trimmed == "" || i >= 0 && strings.TrimRight(trimmed[:i], "/") == "":
		return "/"
	case i < 0:
		return "."
	}
	return strings.TrimRight(trimmed[:i], "/")
}

// pattern is a regular expression of PHP's that means the same to Go; nil where that is not sure.
func pattern(text string) *regexp.Regexp {
	if len(text) < 2 || strings.IndexByte("/#~@!%", text[0]) < 0 {
		return nil
	}
	i := strings.LastIndexByte(text, text[0])
	if i == 0 {
		return nil
	}
	inside, flags := text[1:i], text[i+1:]
	if flags != "" && flags != "i" || strings.Contains(inside, `\`+text[:1]) || !ascii(inside) {
		return nil
	}
	if flags == "i" {
		inside = "(?i)" + inside
	}
	re, err := regexp.Compile(inside)
	if err != nil {
		return nil
	}
	return re
}
