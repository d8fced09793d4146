package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rowhook/cdc/ddl"
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
	name, _, err := r.parse()
	return err == nil && name.Schema == schema
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
	for _, k := range v.Is.Key {
		if k < 0 || k >= len(v.Is.Columns) {
			return ddl.TableName{}, nil, errors.New("its primary key has columns that the table has not")
		}
	}
	return name, v.Is, nil
}
