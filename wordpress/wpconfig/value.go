package wpconfig

import (
	"path/filepath"
	"strings"
)

// value is what an expression comes to, and does what it does: nil, bool, int64, float64, string, *array or unknown.
func (r *runner) value(x expression) any {
	if r.tired(1) {
		return unknown{r.doubt(0, "takes too much work to read")}
	}
	switch x := x.(type) {
	case literal:
		return x.value
	case joined:
		return r.joined(x)
	case varX:
		return r.variable(x)
	case constX:
		return r.constant(x.name, x.line)
	case indexX:
		return r.index(x)
	case callX:
		return r.call(x)
	case unaryX:
		return r.unary(x)
	case binaryX:
		return r.binary(x)
	case choiceX:
		return r.choice(x)
	case assignX:
		return r.assignment(x)
	case arrayX:
		return r.array(x)
	case includeX:
		return r.include(x)
	case issetX:
		return r.isset(x)
	case exitX:
		r.state.ended = true
	case unreadX:
		return unknown{r.doubt(x.line, "returns what rowhook does not read")}
	}
	return nil
}

func (r *runner) joined(x joined) any {
	var b strings.Builder
	for _, one := range x.parts {
		text, why := r.text(one)
		if why != nil {
			return *why
		}
		b.WriteString(text)
	}
	return r.bounded(b.String())
}

// text is an expression as a text, or why that is unknown.
func (r *runner) text(x expression) (string, *unknown) {
	v := r.value(x)
	if u, is := v.(unknown); is {
		return "", &u
	}
	text, ok := toText(v)
	if !ok {
		return "", &unknown{r.doubt(0, "uses an array as a text")}
	}
	return text, nil
}

// bounded is a text, unknown when it is longer than any setting.
func (r *runner) bounded(text string) any {
	if len(text) > mostText {
		return unknown{r.doubt(0, "has a value of more than %d bytes", mostText)}
	}
	return text
}

func (r *runner) variable(x varX) any {
	if v, there := r.state.variables[x.name]; there {
		return v
	}
	if r.state.cloud != nil {
		return unknown{*r.state.cloud}
	}
	switch x.name {
	case "_SERVER", "_ENV", "_GET", "_POST", "_COOKIE", "_REQUEST", "GLOBALS", "argv", "this":
		return unknown{r.doubt(x.line, "$%s is known only to the web server", x.name)}
	}
	return nil
}

func (r *runner) constant(name string, line int) any {
	switch strings.ToUpper(name) {
	case "__DIR__":
		return filepath.Dir(r.file)
	case "__FILE__":
		return r.file
	case "__LINE__":
		return int64(line)
	}
	if v, there := r.state.constants[name]; there {
		return v
	}
	if v, there := map[string]any{"PHP_EOL": "\n", "DIRECTORY_SEPARATOR": "/", "PATH_SEPARATOR": ":", "PHP_OS": "Linux", "PHP_OS_FAMILY": "Linux"}[name]; there {
		return v
	}
	if v, there := clientFlags[name]; there {
		return v
	}
	if r.state.cloud != nil {
		return unknown{*r.state.cloud}
	}
	if strings.HasPrefix(name, "PHP_") {
		return unknown{r.doubt(line, "depends on %s, which only PHP knows", name)}
	}
	return unknown{r.doubt(line, "%s is not defined", name)}
}

func (r *runner) index(x indexX) any {
	if x.key == nil {
		return nil
	}
	key, why := r.text(x.key)
	if why != nil {
		return *why
	}
	if global, is := x.base.(varX); is {
		if v, there := r.state.variables[slot(global.name, key)]; there {
			return v
		}
		if v, is := r.superglobal(global.name, key, x.line); is {
			return v
		}
	}
	switch base := r.value(x.base).(type) {
	case unknown:
		return base
	case *array:
		return base.values[key]
	case nil:
		return nil
	}
	return unknown{r.doubt(x.line, "takes a part of what is no array")}
}

// slot is the variable that stands for a key of a superglobal.
func slot(global, key string) string { return global + "[" + key + "]" }

// superglobal is a value of $_SERVER, $_ENV or $GLOBALS. The environment is ours, which need not be the web server's.
func (r *runner) superglobal(global, key string, line int) (value any, is bool) {
	switch global {
	case "GLOBALS":
		return r.variable(varX{key, line}), true
	case "_SERVER":
		if (key == "HTTP_HOST" || key == "SERVER_NAME") && r.options.Host != "" {
			return r.options.Host, true
		}
		for _, of := range []string{"HTTP", "REMOTE_", "SERVER_", "REQUEST_", "SCRIPT_", "DOCUMENT_", "PHP_", "QUERY_", "PATH_", "ORIG_", "REDIRECT_", "argv", "argc", "GATEWAY_"} {
			if strings.HasPrefix(key, of) {
				d := r.doubt(line, "depends on $_SERVER['%s'], which only the web server knows", key)
				if key == "HTTP_HOST" || key == "SERVER_NAME" {
					d.Ask = "HTTP_HOST"
				}
				return unknown{d}, true
			}
		}
	case "_ENV":
	default:
		return nil, false
	}
	if v, there := r.environment(key, line); there {
		return v, true
	}
	return nil, true
}

// environment is a variable of the environment, as a text.
func (r *runner) environment(name string, line int) (value any, there bool) {
	if v, there := r.state.variables[slot("getenv", name)]; there { // putenv
		return v, true
	}
	if v, there := r.options.Env(name); there {
		return v, true
	}
	if r.state.cloud != nil { // which may have set it, as programs do that read a .env
		return unknown{*r.state.cloud}, true
	}
	r.note(r.doubt(line, "the environment variable %s is not set here, so what stands for that counts", name))
	return nil, false
}

func (r *runner) unary(x unaryX) any {
	v := r.value(x.x)
	if _, is := v.(unknown); is {
		return v
	}
	switch x.op {
	case "!":
		return !truth(v)
	case "@", "&":
		return v
	case "bool":
		return truth(v)
	case "string":
		if text, ok := toText(v); ok {
			return text
		}
	case "int", "+", "-":
		if n, ok := toInt(v); ok && x.op == "-" {
			return -n
		} else if ok {
			return n
		}
	case "print":
		return int64(1)
	}
	return unknown{r.doubt(x.line, "computes what rowhook does not: %s", x.op)}
}

func (r *runner) choice(x choiceX) any {
	condition := r.value(x.condition)
	if u, is := condition.(unknown); is {
		var a, b any = u, nil
		r.either(u.why, func() {
			if x.then != nil {
				a = r.value(x.then)
			}
		}, func() { b = r.value(x.otherwise) })
		return agree(a, b, u.why)
	}
	switch {
	case !truth(condition):
		return r.value(x.otherwise)
	case x.then == nil:
		return condition
	}
	return r.value(x.then)
}

func (r *runner) array(x arrayX) any {
	a := &array{values: make(map[string]any, len(x.values))}
	for i, of := range x.values {
		var key any
		if x.keys[i] != nil {
			key = r.value(x.keys[i])
		}
		if !a.set(key, x.keys[i] == nil, r.value(of)) {
			return unknown{r.doubt(x.line, "has an array whose keys are not known")}
		}
	}
	return a
}

// set is for making an array; false when the key is none.
func (a *array) set(key any, appended bool, value any) bool {
	if appended {
		key = a.next
	}
	text, ok := toText(key)
	if !ok {
		return false
	}
	if n, isInt := key.(int64); isInt && n >= a.next {
		a.next = n + 1
	}
	a.values[text] = value
	return true
}

func (r *runner) isset(x issetX) any {
	for _, of := range x.of {
		v := r.value(of)
		if _, is := v.(unknown); is || v == nil {
			return map[bool]any{true: v, false: false}[is]
		}
	}
	return true
}
