package wpconfig

import (
	"encoding/base64"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
	case "strpos", "strstr":
		return found(name, strings.Index(text, other), text)
	case "stripos", "stristr":
		return found(name, strings.Index(lower(text), lower(other)), text)
	case "substr":
		return substring(text, second, int64(len(text)))
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

// formatted is sprintf() with nothing but %s, %d and %%.
func formatted(texts []string) (v any, known bool) {
	var b strings.Builder
	format, given := texts[0], texts[1:]
	for {
		before, verb, more := strings.Cut(format, "%")
		b.WriteString(before)
		if !more {
			return b.String(), b.Len() <= mostText
		}
		kind, rest := verb[:min(1, len(verb))], verb[min(1, len(verb)):]
		format = rest
		switch {
		case kind == "%":
			b.WriteByte('%')
			continue
		case len(given) == 0:
			return nil, false
		case kind == "s":
			b.WriteString(given[0])
		case kind == "d":
			n, isInt := toInt(given[0])
			if !isInt {
				return nil, false
			}
			b.WriteString(strconv.FormatInt(n, 10))
		default:
			return nil, false
		}
		given = given[1:]
	}
}

// substring is substr().
func substring(text string, from, length any) (v any, known bool) {
	start, ok := toInt(from)
	n, fine := toInt(length)
	if !ok || !fine {
		return nil, false
	}
	size := int64(len(text))
	if start < 0 {
		start = max(0, size+start)
	}
	start = min(start, size)
	last := size
	if n < 0 {
		last = max(start, size+n)
	} else if n < size-start {
		last = start + n
	}
	return text[start:last], true
}

// ofArrays is a function that is given an array.
func ofArrays(name string, args []any) (v any, known bool) {
	if name != "in_array" || len(args) < 2 {
		return nil, false
	}
	list, is := args[1].(*array)
	if !is {
		return nil, false
	}
	strict, sure := len(args) > 2 && truth(args[2]), true
	for _, of := range list.values {
		same, ok := of == args[0], true
		if !strict {
			same, ok = alike(of, args[0])
		}
		if same && ok {
			return true, true
		}
		_, unsure := of.(unknown)
		sure = sure && ok && !unsure
	}
	return false, sure
}

// found is what is found at a place of a text: the place, or the text from there on.
func found(name string, at int, text string) (v any, known bool) {
	switch {
	case at < 0:
		return false, true
	case strings.HasSuffix(name, "str"):
		return text[at:], true
	}
	return int64(at), true
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
