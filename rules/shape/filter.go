package shape

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Filter keeps some fields of a JSON text and hides others, by dotted paths; a list in between stands for each of its
// values, and a text that is JSON itself, as the plugin stores what customers fill in, for what it says. What stays keeps its
// bytes and its order. The zero Filter does nothing.
type Filter struct {
	keep, hide *names
}

// names are the next names of paths; the empty one ends a path.
type names struct {
	next map[string]*names
	ends bool
}

// mostAhead is how many bytes are set aside for what may be left of a text: of a large one that may be little.
const mostAhead = 512

// Hidden stands where a value was.
const Hidden = `"[redacted]"`

// NewFilter makes one; no paths to keep: all are kept. A path is names between dots.
func NewFilter(keep, hide []string) *Filter {
	f := &Filter{}
	if len(keep) > 0 {
		f.keep = treeOf(keep)
	}
	if len(hide) > 0 {
		f.hide = treeOf(hide)
	}
	return f
}

func treeOf(paths []string) *names {
	root := &names{next: map[string]*names{}}
	for _, p := range paths {
		at := root
		for name := range strings.SplitSeq(p, ".") {
			if at.next[name] == nil {
				at.next[name] = &names{next: map[string]*names{}}
			}
			at = at.next[name]
		}
		at.ends = true
	}
	return root
}

// Apply appends what is left of a JSON text.
func (f *Filter) Apply(b, text []byte) ([]byte, error) {
	b = slices.Grow(b, min(len(text), mostAhead))
	s := scanner{text: text}
	b = s.value(b, f.keep, f.hide, 0)
	if s.skip(); s.bad || s.at != len(s.text) {
		return nil, errors.New("the payload is not valid JSON")
	}
	return b, nil
}

// deepest is how deep a payload may be: encoding/json's own bound.
const deepest = 10_000

// scanner goes over a JSON text.
type scanner struct {
	text []byte
	at   int
	bad  bool
}

// value copies the value that comes, without what is not kept. A nil keep keeps all, a nil hide hides nothing.
func (s *scanner) value(b []byte, keep, hide *names, depth int) []byte {
	s.skip()
	if s.bad = s.bad || depth > deepest || s.at >= len(s.text); s.bad {
		return b
	}
	if keep != nil && keep.ends {
		keep = nil
	}
	switch {
	case hide != nil && hide.ends:
		s.pass(depth)
		return append(b, Hidden...)
	case keep == nil && hide == nil:
		from := s.at
		s.pass(depth)
		return append(b, s.text[from:s.at]...)
	}
	switch s.text[s.at] {
	case '{':
		return s.object(b, keep, hide, depth)
	case '[':
		return s.list(b, keep, hide, depth)
	case '"':
		return s.within(b, keep, hide, depth)
	}
	from := s.at
	s.pass(depth)
	return append(b, s.text[from:s.at]...)
}

// within copies a text below which names are kept or hidden: they are those of the JSON that it says. What says none is not
// looked into by anybody, so where something of it is to be hidden all is, and where something is to be kept nothing is.
func (s *scanner) within(b []byte, keep, hide *names, depth int) []byte {
	from := s.at
	s.pass(depth)
	var text string
	if s.bad = s.bad || json.Unmarshal(s.text[from:s.at], &text) != nil; s.bad {
		return b
	}
	below := scanner{text: []byte(text)}
	if below.skip(); below.at < len(text) && (text[below.at] == '{' || text[below.at] == '[') && json.Valid(below.text) {
		left := below.value(nil, keep, hide, depth+1)
		s.bad = below.bad
		b, _ = appendJSON(b, string(left)) // a text
		return b
	}
	switch {
	case text == "":
		return append(b, `""`...)
	case hide != nil:
		return append(b, Hidden...)
	}
	return append(b, "null"...)
}

func (s *scanner) object(b []byte, keep, hide *names, depth int) []byte {
	b = append(b, '{')
	first := true
	s.each('}', func() {
		key := s.key()
		if s.bad {
			return
		}
		name := nameOf(key)
		var below *names
		if keep != nil {
			if below = keep.next[name]; below == nil {
				s.skip()
				s.pass(depth + 1)
				return
			}
		}
		var hidden *names
		if hide != nil {
			hidden = hide.next[name]
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, key...), ':')
		b = s.value(b, below, hidden, depth+1)
	})
	return append(b, '}')
}

func (s *scanner) list(b []byte, keep, hide *names, depth int) []byte {
	b = append(b, '[')
	first := true
	s.each(']', func() {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = s.value(b, keep, hide, depth+1)
	})
	return append(b, ']')
}

// each calls f at each member of what begins here, until its end.
func (s *scanner) each(end byte, f func()) {
	s.at++
	if s.skip(); s.at < len(s.text) && s.text[s.at] == end {
		s.at++
		return
	}
	for !s.bad {
		s.skip()
		f()
		s.skip()
		switch {
		case s.bad || s.at >= len(s.text):
			s.bad = true
		case s.text[s.at] == ',':
			s.at++
		case s.text[s.at] == end:
			s.at++
			return
		default:
			s.bad = true
		}
	}
}

// pass goes over the value that comes.
func (s *scanner) pass(depth int) {
	if s.bad = s.bad || depth > deepest || s.at >= len(s.text); s.bad {
		return
	}
	switch c := s.text[s.at]; c {
	case '{':
		s.each('}', func() {
			s.key()
			s.skip()
			s.pass(depth + 1)
		})
	case '[':
		s.each(']', func() { s.pass(depth + 1) })
	case '"':
		s.word()
	default:
		from := s.at
		for s.at < len(s.text) && !strings.ContainsRune(",]} \t\r\n:", rune(s.text[s.at])) {
			s.at++
		}
		s.bad = from == s.at || !json.Valid(s.text[from:s.at])
	}
}

// key goes over the key of an object's member, and the colon behind it.
func (s *scanner) key() []byte {
	from := s.at
	s.word()
	key := s.text[from:s.at]
	s.skip()
	if s.bad = s.bad || s.at >= len(s.text) || s.text[s.at] != ':'; !s.bad {
		s.at++
	}
	return key
}

// word goes over a string.
func (s *scanner) word() {
	if s.bad = s.bad || s.at >= len(s.text) || s.text[s.at] != '"'; s.bad {
		return
	}
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return
		}
	}
	s.bad = true
}

func (s *scanner) skip() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\n' || s.text[s.at] == '\t' || s.text[s.at] == '\r') {
		s.at++
	}
}

// nameOf is what a key of an object says.
func nameOf(key []byte) string {
	if len(key) >= 2 && !strings.Contains(string(key), `\`) {
		return string(key[1 : len(key)-1])
	}
	var name string
	if json.Unmarshal(key, &name) != nil {
		return ""
	}
	return name
}
