package wpconfig

import (
	"fmt"
	"maps"
)

// unknown is a value that only PHP, or the web server, knows.
type unknown struct{ why Doubt }

// array is one of PHP's. Its keys are texts, numbers included; it does not change once it is made.
type array struct {
	values map[string]any
	next   int64 // the key of a value that is appended
}

// state is what is defined at a place in the file.
type state struct {
	constants map[string]any
	variables map[string]any
	once      map[string]bool // files that are included already
	// cloud is where something happened that may have defined anything; nil: nothing did.
	cloud *Doubt
	ended bool // PHP does not come to this place
}

func newState() *state {
	return &state{constants: map[string]any{}, variables: map[string]any{}, once: map[string]bool{}}
}

func (s *state) size() int { return len(s.constants) + len(s.variables) + len(s.once) }

func (s *state) clone() *state {
	return &state{maps.Clone(s.constants), maps.Clone(s.variables), maps.Clone(s.once), s.cloud, s.ended}
}

// define gives a constant its value. The first definition counts; one that may follow another is not known.
func (s *state) define(name string, value any) {
	if _, there := s.constants[name]; !there {
		s.constants[name] = value
	}
}

// join is what is known where two ways meet: what both agree on.
func join(a, b *state, why Doubt) *state {
	switch {
	case a.ended:
		return b
	case b.ended:
		return a
	}
	joined := &state{constants: meet(a.constants, b.constants, why), variables: meet(a.variables, b.variables, why), once: map[string]bool{}, cloud: a.cloud}
	if joined.cloud == nil {
		joined.cloud = b.cloud
	}
	for file := range a.once {
		if b.once[file] {
			joined.once[file] = true
		}
	}
	return joined
}

func meet(a, b map[string]any, why Doubt) map[string]any {
	joined := make(map[string]any, len(a))
	for name, value := range a {
		if other, there := b[name]; there && other == value {
			joined[name] = value
		} else {
			joined[name] = unknown{why}
		}
	}
	for name := range b {
		if _, there := a[name]; !there {
			joined[name] = unknown{why}
		}
	}
	return joined
}

// agree is one value of two that may be, unknown unless they are the same.
func agree(a, b any, why Doubt) any {
	if a == b {
		return a
	}
	return unknown{why}
}

// Doubt is a place in a file where it takes PHP, or the web server, to know what a value is.
type Doubt struct {
	File string
	Line int // 0: the file as a whole
	What string
	// Ask is what to give to know it, when it is another value than the setting: HTTP_HOST.
	Ask string
}

func (d Doubt) String() string {
	if d.Line == 0 {
		return d.File + ": " + d.What
	}
	return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.What)
}
