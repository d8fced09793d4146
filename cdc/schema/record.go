package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc/schema/ddl"
)

// RecordPrefix begins the key of every SchemaRecord. The records are true at the position that they were stored with
// and at no other: whoever accepts another position deletes them all.
const RecordPrefix = "s"

// Record is what is known of a table's columns at a position of the log, for the commit that stores the position.
// Data nil deletes it.
type Record struct {
	Key  string
	Data []byte
}

// storedTable is a SchemaRecord's data. A table that was dropped has none of a definition.
type storedTable struct {
	Schema string          `json:"schema"`
	Name   string          `json:"name,omitempty"`
	Is     *ddl.Definition `json:"is"`
}

// maxRecord bounds a record; what is larger is not kept.
const maxRecord = 1 << 20

// newRecord is how a table's definition is stored; nil Data when it is not known, or too large.
func newRecord(t ddl.TableName, d *ddl.Definition) Record {
	r := Record{Key: RecordPrefix + quoted(t.Schema, t.Name)}
	if d == nil {
		return r
	}
	v := storedTable{Schema: t.Schema, Name: t.Name, Is: d}
	if d == ddl.Gone {
		v.Is = nil
	}
	if data, err := json.Marshal(v); err == nil && len(data) <= maxRecord {
		r.Data = data
	}
	return r
}

// quoted is a table's name in a key.
func quoted(schema, name string) string {
	quote := func(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
	return quote(schema) + "." + quote(name)
}

// IsOf says whether a record is of a schema, or of a table in it.
func (r Record) IsOf(schema string) bool {
	if r.isTemporary() {
		name, err := r.temporary()
		return err == nil && strings.EqualFold(name.Schema, schema) // as the server folds names
	}
	name, ok := r.Table()
	return ok && name.Schema == schema
}

// Table is the table that a record is of, by its key; Name is empty for a schema's. False for that of a temporary table.
func (r Record) Table() (t ddl.TableName, ok bool) {
	if r.isTemporary() {
		return t, false
	}
	rest, ok := strings.CutPrefix(r.Key, RecordPrefix)
	if !ok {
		return t, false
	}
	if t.Schema, rest, ok = unquote(rest); !ok || !strings.HasPrefix(rest, ".") {
		return t, false
	}
	t.Name, rest, ok = unquote(rest[1:])
	return t, ok && rest == ""
}

// unquote takes a name in backticks off the beginning of a text.
func unquote(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, "`") {
		return "", s, false
	}
	var b strings.Builder
	for s = s[1:]; ; {
		before, after, closed := strings.Cut(s, "`")
		if !closed {
			return "", s, false
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, "`") {
			return b.String(), after, true
		}
		b.WriteByte('`')
		s = after[1:]
	}
}

// parse is the reverse of newSchemaRecord.
func (r Record) parse() (ddl.TableName, *ddl.Definition, error) {
	if len(r.Data) > maxRecord {
		return ddl.TableName{}, nil, fmt.Errorf("it has %d bytes", len(r.Data))
	}
	var v storedTable
	if err := json.Unmarshal(r.Data, &v); err != nil {
		return ddl.TableName{}, nil, err
	}
	name := ddl.TableName{Schema: v.Schema, Name: v.Name}
	if newRecord(name, nil).Key != r.Key {
		return ddl.TableName{}, nil, fmt.Errorf("it is that of %s", name)
	}
	if v.Is == nil {
		return name, ddl.Gone, nil
	}
	v.Is.Columns = slices.Clone(v.Is.Columns) // as decoded they have room for twice as many, and there may be thousands of tables
	for _, k := range v.Is.Key {
		if k < 0 || k >= len(v.Is.Columns) {
			return ddl.TableName{}, nil, errors.New("its primary key has columns that the table has not")
		}
	}
	return name, v.Is, nil
}
