package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rowhook/cdc/schema/ddl"
	"rowhook/sqltext"
)

// maxTemporary bounds how many temporary tables are remembered.
const maxTemporary = 10_000

// Temporaries are the temporary tables of the log. One may have the name of a watched table: what its connection then does
// to that name is done to the temporary table. Servers log temporary tables under binlog_format STATEMENT and MIXED only,
// and log that one was dropped when its connection ends. They move as a History does: what a transaction changes counts
// for itself at once, and for the others from its commit on.
type Temporaries struct {
	known   map[temporary]bool
	open    map[temporary]bool // by the transaction that is being read: true: made, false: dropped
	unsaved map[temporary]bool // changed, and not in a commit yet
}

func newTemporaries() Temporaries {
	return Temporaries{known: map[temporary]bool{}, open: map[temporary]bool{}, unsaved: map[temporary]bool{}}
}

// temporary is a name as one connection sees it. A log may hold what several servers' connections did.
type temporary struct {
	Server     uint32 `json:"server"`
	Connection uint32 `json:"connection"`
	Schema     string `json:"schema"`
	Name       string `json:"name"`
}

// Take notes what a statement does to temporary tables, and says whether it touches no other table. (What it writes
// into one is not looked at here: see Has.)
func (t *Temporaries) Take(q *Statement) bool {
	if q.Opaque {
		if q.Cursor().Verb() == "DROP" { // to take a watched table for one that was dropped would hide what is written
			t.forget(q)
		}
		return false
	}
	c := sqltext.NewCursor(q.Dialect.Dialect, q.Text)
	named := func() temporary { return q.temporary(c.Table()) }
	switch verb := c.Verb(); {
	case q.Failed && verb != "DROP": // which drops those that are there
		return false
	case c.Accept("CREATE", "TEMPORARY"), c.Accept("CREATE", "OR", "REPLACE", "TEMPORARY"):
		if !c.Accept("TABLE") { // a sequence
			return true
		}
		c.Accept("IF", "NOT", "EXISTS")
		if name := named(); !c.Failed {
			t.add(name)
		}
		return true
	case c.Accept("DROP", "TEMPORARY"):
		c.AcceptOneOf("TABLE", "TABLES")
		c.Accept("IF", "EXISTS")
		for more := true; more && !c.Failed; more = c.AcceptMark(",") {
			t.open[named()] = false
		}
		return true
	case c.Accept("TRUNCATE"):
		c.Accept("TABLE")
		return t.has(named())
	case c.Accept("ALTER"):
		c.AcceptOneOf("ONLINE")
		c.AcceptOneOf("IGNORE")
		c.Accept("TABLE")
		c.Accept("IF", "EXISTS")
		name := named()
		if t.has(name) {
			t.rename(q)
			return true
		}
	case verb == "RENAME" && q.Dialect.MariaDB: // MySQL's is of other tables only
		return t.rename(q)
	}
	return false
}

// Has says whether a statement's connection means a temporary table by a name.
func (t *Temporaries) Has(q *Statement, name ddl.TableName) bool { return t.has(q.temporary(name)) }

func (t *Temporaries) has(name temporary) bool {
	if made, changed := t.open[name]; changed {
		return made
	}
	return t.known[name]
}

func (t *Temporaries) add(name temporary) {
	if len(t.known)+len(t.open) < maxTemporary {
		t.open[name] = true
	}
}

// rename follows temporary tables to their new names, and says whether a statement gives none to others.
func (t *Temporaries) rename(q *Statement) bool {
	ops, understood := ddl.Read(q.Dialect, q.Schema, q.Text)
	for _, op := range ops {
		if op.Kind != ddl.Rename {
			continue
		}
		if from := q.temporary(op.Table); t.has(from) {
			t.open[from] = false
			t.add(q.temporary(op.Other))
		} else {
			understood = false
		}
	}
	return understood
}

// forget takes those of a statement's connection for dropped.
func (t *Temporaries) forget(q *Statement) {
	for _, names := range []map[temporary]bool{t.known, t.open} {
		for name := range names {
			if name.Server == q.Server && name.Connection == q.Thread {
				t.open[name] = false
			}
		}
	}
}

// Restarted takes in that the server was started: it has no temporary tables.
func (t *Temporaries) Restarted() {
	for name := range t.known {
		t.unsaved[name] = true
	}
	clear(t.known)
	clear(t.open)
}

// Clone is a copy, for who reads on from here beside.
func (t *Temporaries) Clone() Temporaries {
	return Temporaries{known: maps.Clone(t.known), open: maps.Clone(t.open), unsaved: map[temporary]bool{}}
}

// commit ends the transaction, and returns what is to be stored with it: those of the watched schemas, or with a watched
// table's name. The others are as many as programs make, and unlikely to get such a name later.
func (t *Temporaries) commit(watched NameIndex) (records []Record) {
	for name, made := range t.open {
		if made == t.known[name] {
			continue
		}
		if t.unsaved[name] = true; made {
			t.known[name] = true
		} else {
			delete(t.known, name)
		}
	}
	clear(t.open)
	for name := range t.unsaved {
		if watched[longestWord(name.Schema)] || watched[longestWord(name.Name)] {
			records = append(records, name.record(t.known[name]))
		}
	}
	clear(t.unsaved)
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
	return records
}

// rewatched takes in that other tables are watched: what was not worth a record may be now.
func (t *Temporaries) rewatched() {
	for name := range t.known {
		t.unsaved[name] = true
	}
}

// temporaryPrefix begins the keys of the records of temporary tables.
const temporaryPrefix = RecordPrefix + "@"

func (r Record) isTemporary() bool { return strings.HasPrefix(r.Key, temporaryPrefix) }

// record is how a temporary table is stored; nil Data when it is there no more.
func (n temporary) record(there bool) Record {
	r := Record{Key: fmt.Sprintf("%s%d/%d/%s", temporaryPrefix, n.Server, n.Connection, quoted(n.Schema, n.Name))}
	if !there {
		return r
	}
	if data, err := json.Marshal(n); err == nil {
		r.Data = data
	}
	return r
}

// temporary is the reverse of record.
func (r Record) temporary() (n temporary, err error) {
	if len(r.Data) > maxRecord {
		return n, fmt.Errorf("it has %d bytes", len(r.Data))
	}
	if err := json.Unmarshal(r.Data, &n); err != nil {
		return n, err
	}
	if n.record(false).Key != r.Key {
		return n, fmt.Errorf("it is that of %s.%s", n.Schema, n.Name)
	}
	return n, nil
}

// temporary is the temporary table that a statement's connection means by a name, if it has one.
func (q *Statement) temporary(name ddl.TableName) temporary {
	if name.Schema == "" {
		name.Schema = q.Schema
	}
	name = q.Dialect.Folded(name)
	return temporary{q.Server, q.Thread, name.Schema, name.Name}
}
