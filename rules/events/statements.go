package events

import (
	"strings"

	"rowhook/cdc"
	"rowhook/rules"
)

// statements tells by which statement a row was written, as far as the log has its text, and what that means for the row.
type statements struct {
	plugin bool         // fidelity: plugin
	parts  []cdc.Change // of the current change, when no one statement made it
	text   string       // what was read last
	parsed statement
	known  bool // parsed is what text says
	forms  formWatch
}

// of is what is known of the statement that wrote a row, nil when nothing is. Of several in one transaction it is
// what those tell together that saved it, as their events would when each had a transaction of its own.
func (s *statements) of(b *binding, c *cdc.Change, txn *cdc.Commit) *statement {
	if len(s.parts) == 0 {
		return s.one(b.site, c, txn)
	}
	switch {
	case c.Op == cdc.Delete:
		return s.one(b.site, &s.parts[len(s.parts)-1], txn)
	case b.role != rootRow:
		return s.one(b.site, &s.parts[0], txn)
	}
	var joint *statement
	for i := range s.parts {
		part := &s.parts[i]
		if i > 0 && !part.Before.Whole() { // it was what the part before made of it
			part.Before = s.parts[i-1].After
		}
		switch st := s.one(b.site, part, txn); {
		case !s.isSave(b, part, st):
		case st == nil:
			return nil
		case s.lastCounts(b):
			joint = nil
			fallthrough
		default:
			joint = joint.join(st)
		}
	}
	return joint
}

// lastCounts says whether of several saves of an object in one page request the last alone tells what was saved: the plugin
// puts them together, but what a save was not given is null, which only orders drop (FINDINGS 4).
func (s *statements) lastCounts(b *binding) bool { return s.plugin && b.entity.Status == nil }

// one is what is known of the statement of one change: a trigger's rows travel under their parent's text, which
// counts only for the table that it names.
func (s *statements) one(site *rules.Site, c *cdc.Change, txn *cdc.Commit) *statement {
	if c.Statement != s.text {
		s.text = c.Statement
		s.parsed, s.known = parseStatement(c.Statement)
	}
	st := &s.parsed
	if !s.known || !strings.EqualFold(st.table, c.Table.Name) {
		st = nil
	}
	if s.plugin {
		s.forms.saw(site, c, st != nil && st.model, txn)
	}
	return st
}

// isSave says whether a change of an object's row is a save: for the documentation every change that is not
// housekeeping; for the plugin what its own models write, and of appointments only what takes their lock (FINDINGS 8).
func (s *statements) isSave(b *binding, c *cdc.Change, st *statement) bool {
	switch {
	case !s.plugin:
		return c.Op == cdc.Insert || b.matters(c.Before, c.After)
	case st == nil, b.entity.Hooks && !st.class, !b.entity.Hooks && !st.model:
		return false
	}
	return b.entity.Lock == "" || st.names(b.entity.Lock)
}
