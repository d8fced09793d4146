package schema

import (
	"testing"

	"rowhook/cdc/schema/ddl"
)

// TestRecordTable: the key of a record tells its table, whatever that is called.
func TestRecordTable(t *testing.T) {
	t.Parallel()
	for _, name := range []ddl.TableName{
		{Schema: "wordpress", Name: "wp_options"}, {Schema: "wordpress"}, {Schema: "a`b", Name: "`"}, {Schema: "``", Name: "a`.`b"}, {Schema: "ä ", Name: "."},
	} {
		if got, ok := newRecord(name, nil).Table(); !ok || got != name {
			t.Errorf("%s: got %s, %v", name, got, ok)
		}
	}
	for _, key := range []string{"", "s", "s`", "s`a`", "s`a`.", "s`a`.`b", "s`a`.`b`c", "sa.b", "`a`.`b`", temporaryPrefix + "1/2/`a`.`b`"} {
		if got, ok := (Record{Key: key}).Table(); ok {
			t.Errorf("%s is of %s", key, got)
		}
	}
}

func FuzzRecordTable(f *testing.F) {
	f.Add("s`a`.`b`")
	f.Fuzz(func(t *testing.T, key string) {
		if name, ok := (Record{Key: key}).Table(); ok && newRecord(name, nil).Key != key {
			t.Errorf("%q is of %s", key, name)
		}
	})
}
