package wpconfig

import (
	"os"
	"path/filepath"
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
	} else if v, known := ofArrays(x.name, args); known {
		return v
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
	if x.name == "sprintf" && len(texts) > 0 {
		return formatted(texts)
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
		case "substr":
			return substring(texts[0], args[1], args[2])
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
		content, err := r.read(r.find(name))
		if err != nil {
			return unknown{r.doubt(x.line, "reads a file: %v", err)}, true
		}
		return r.bounded(content), true
	}
	return nil, false
}
