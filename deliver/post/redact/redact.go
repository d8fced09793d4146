// Package redact takes secrets out of a text that somebody else wrote and that may repeat them: plain, escaped as JSON, HTML,
// a mail or part of a URL, escaped several times, in base64 or hexadecimal, in capitals, broken into lines, or cut off in
// their middle.
package redact

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"hash/maphash"
	"slices"
	"strings"
)

const (
	// Mask stands for a secret.
	Mask = "***"
	// Shortest is how many bytes a secret must have to be hidden: less would make a text unreadable, and tell what is
	// hidden. It is also how much of a secret's beginning is recognized at the end of a text.
	Shortest = 4
	// tightest is the same where white space is not looked at, which is in any text: of a secret in base64 as little is left.
	tightest = 7
	// depth is how many escapes inside of each other are seen through. A text is looked at in 85 forms at most
	// (1 + 4 + 4·4 + 4·4·4), and in each without its white space; no more than 5 are in memory at once.
	depth = 3
)

// Redactor hides secrets. It holds them: it is never logged. It is safe for concurrent use.
type Redactor struct {
	index       // of secrets as they are written
	tight index // without their white space
}

// index finds secrets by how they begin.
type index struct {
	secrets map[string][]secret // by their first bytes, Shortest of them; the longest first
	starts  [256]bool           // the first byte of each: the quick test
	longest int
	least   int // bytes, of a secret and of the beginning of one
}

type secret struct {
	text  string
	whole bool // its beginning alone is no secret
}

// New makes a Redactor for secrets, and for texts of which only the whole is secret: of the others their beginning is
// hidden too, where a text ends. What is shorter than Shortest is left out. A + is taken for each space too, as in forms,
// and capitals for small letters.
func New(secrets, whole []string) *Redactor {
	r := &Redactor{index: index{secrets: map[string][]secret{}, least: Shortest}, tight: index{secrets: map[string][]secret{}, least: tightest}}
	for _, s := range secrets {
		r.add(secret{s, false})
		for _, encoded := range encodings(s) {
			r.add(secret{encoded, false})
		}
	}
	for _, s := range whole {
		r.add(secret{s, true})
		for _, encoded := range encodings(s) {
			r.add(secret{encoded, true})
		}
	}
	for _, x := range []*index{&r.index, &r.tight} {
		x.sort()
	}
	return r
}

func (r *Redactor) add(s secret) {
	r.index.add(s)
	s.text = tightened(s.text)
	r.tight.add(s)
}

func (x *index) add(s secret) {
	if len(s.text) < x.least {
		return
	}
	s.text = folded(s.text)
	key := s.text[:Shortest]
	if !slices.Contains(x.secrets[key], s) {
		x.secrets[key] = append(x.secrets[key], s)
	}
	x.starts[key[0]] = true
	x.longest = max(x.longest, len(s.text))
}

func (x *index) sort() {
	for _, list := range x.secrets {
		slices.SortFunc(list, func(a, b secret) int { return cmp.Compare(len(b.text), len(a.text)) })
	}
}

// folded is a text in which a + counts as the space that it may stand for, and a capital as the small letter. It is as long.
func folded(text string) string {
	out := []byte(text)
	for i, c := range out {
		switch {
		case c == '+':
			out[i] = ' '
		case 'A' <= c && c <= 'Z':
			out[i] += 'a' - 'A'
		}
	}
	return string(out)
}

// encodings are what is always the same of a secret in hexadecimal and, wherever in a text it stands, in base64. Of a short
// one too little is.
func encodings(secret string) []string {
	const short = 6
	if len(secret) < short {
		return nil
	}
	all := []string{hex.EncodeToString([]byte(secret))}
	for before := range 3 { // bytes in its first group of three that are others'
		bits := 8 * (before + len(secret))
		first, end := (8*before+5)/6, bits/6 // the characters that are the secret's alone
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString([]byte("\x00\x00"[:before] + secret))[first:end])
		}
	}
	return all
}

// Replace is a text with Mask in the place of each secret; a text without secrets stays as it is. Work and memory grow with
// the text's length only, whatever is escaped in it.
func (r *Redactor) Replace(text string) string {
	if len(r.secrets) == 0 || len(text) < Shortest {
		return text
	}
	s := search{Redactor: r, end: len(text), seen: map[form]int{}, seed: maphash.MakeSeed()}
	s.look(layer{text: text, open: len(text)}, depth)
	return s.masked(text)
}

// search looks for secrets in all forms of one text.
type search struct {
	*Redactor
	end   int          // of the text as it is
	found []span       // where secrets are in the text as it is
	seen  map[form]int // how many more escapes the forms were looked through for
	seed  maphash.Seed
}

// form is a text that came out of decoding, as a hash, and where it is cut off.
type form struct {
	hash uint64
	open int
}

// look finds the secrets of a layer, and of those below it.
func (s *search) look(l layer, left int) {
	f := form{maphash.String(s.seed, l.text), l.open}
	if before, ok := s.seen[f]; ok && before >= left {
		return
	}
	s.seen[f] = left
	s.find(&s.index, l)
	if tight, ok := l.tight(); ok {
		s.find(&s.tight, tight)
	}
	if left == 0 {
		return
	}
	for _, e := range escapes {
		if below, ok := l.decode(e); ok {
			s.look(below, left-1)
		}
	}
}

// find finds the secrets of an index in a layer.
func (s *search) find(x *index, l layer) {
	l.text = folded(l.text)
	s.inside(x, l)
	s.atEnd(x, l, len(l.text))
	if l.open < len(l.text) {
		s.atEnd(x, l, l.open)
	}
}

// inside finds whole secrets; they may overlap.
func (s *search) inside(x *index, l layer) {
	for i := range len(l.text) - Shortest + 1 {
		if !x.starts[l.text[i]] {
			continue
		}
		for _, secret := range x.secrets[l.text[i:i+Shortest]] {
			if strings.HasPrefix(l.text[i:], secret.text) {
				s.found = append(s.found, span{l.origin(i).from, l.origin(i + len(secret.text) - 1).to})
				break
			}
		}
	}
}

// atEnd finds the beginning of a secret before end, where the text, or its last escape, is cut off.
func (s *search) atEnd(x *index, l layer, end int) {
	for i := max(0, end-x.longest); i+x.least <= end; i++ {
		for _, secret := range x.secrets[l.text[i:i+Shortest]] {
			if !secret.whole && strings.HasPrefix(secret.text, l.text[i:end]) {
				s.found = append(s.found, span{l.origin(i).from, s.end})
				return
			}
		}
	}
}

// masked is the text without what was found.
func (s *search) masked(text string) string {
	if len(s.found) == 0 {
		return text
	}
	slices.SortFunc(s.found, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out strings.Builder
	end := 0
	for i := 0; i < len(s.found); {
		at := s.found[i]
		for i++; i < len(s.found) && s.found[i].from <= at.to; i++ {
			at.to = max(at.to, s.found[i].to)
		}
		out.WriteString(text[end:at.from])
		out.WriteString(Mask)
		end = at.to
	}
	out.WriteString(text[end:])
	return out.String()
}
