package weburl

import (
	"slices"
	"strings"
)

// ellipsis stands for what is not shown.
const ellipsis = "…"

// Short is a URL, or what was meant to be one, without what may be secret: scheme, host and port, the first part of the path if
// it is a word (https://hooks.slack.com/services/…), and the names of the query's parameters. Receivers have tokens anywhere
// else: as user or password, further down the path, as a parameter's value.
func Short(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if ok {
		scheme += "://"
	} else {
		scheme, rest = "", text
	}
	rest, _, hasFragment := strings.Cut(rest, "#")
	before, query, hasQuery := strings.Cut(rest, "?")
	authority, path, hasPath := strings.Cut(before, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = ellipsis + authority[at:]
	}
	short := scheme + authority
	if hasPath {
		short += "/" + shortPath(path)
	}
	if hasQuery {
		short += "?" + shortQuery(query)
	}
	if hasFragment {
		short += "#" + ellipsis
	}
	return short
}

// HasToken says whether a URL, or what was meant to be one, holds what may be secret: a user or a password, a parameter with a
// value, or a part of its path that is no word.
func HasToken(text string) bool {
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	before, query, _ := strings.Cut(text, "?")
	authority, path, _ := strings.Cut(before, "/")
	valued := func(parameter string) bool {
		_, value, _ := strings.Cut(parameter, "=")
		return value != ""
	}
	return strings.Contains(authority, "@") || slices.ContainsFunc(strings.Split(query, "&"), valued) ||
		slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool { return !IsWord(part) })
}

func shortPath(path string) string {
	first, more, deeper := strings.Cut(path, "/")
	switch {
	case !IsWord(first):
		return ellipsis
	case deeper && more == "":
		return first + "/"
	case deeper:
		return first + "/" + ellipsis
	}
	return first
}

func shortQuery(query string) string {
	const most = 5
	parameters := strings.SplitN(query, "&", most+1)
	for i, p := range parameters {
		name, _, ok := strings.Cut(p, "=")
		if !ok || !IsWord(name) || i == most {
			name = ""
		} else {
			name += "="
		}
		parameters[i] = name + ellipsis
	}
	return strings.Join(parameters, "&")
}

// IsWord says whether a part of a path, or a parameter's name, is a word that people chose, and no token: short, of letters
// in few pieces, with no more than a version's digits, and these not among its letters as in tok3nXYZ.
func IsWord(part string) bool {
	const longest, mostDigits, mostTurns = 24, 2, 4
	if len(part) > longest {
		return false
	}
	digits, turns, upper := 0, 0, false
	inner, last := 0, byte(0) // digits with letters around them
	for i, c := range []byte(part) {
		isUpper := 'A' <= c && c <= 'Z'
		switch {
		case '0' <= c && c <= '9':
			digits++
		case isUpper, 'a' <= c && c <= 'z':
			if i > 0 && isUpper != upper {
				turns++
			}
			if upper = isUpper; '0' <= last && last <= '9' && i > digits {
				inner++
			}
		case strings.IndexByte("-_.[]", c) < 0:
			return false
		}
		last = c
	}
	if turns > 0 && inner > 0 || inner > 1 {
		return false
	}
	return digits <= mostDigits && turns <= mostTurns
}
