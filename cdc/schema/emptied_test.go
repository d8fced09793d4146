package schema

import (
	"testing"

	"rowhook/cdc/schema/ddl"
)

// FuzzEmptied looks for what a statement of any bytes empties.
func FuzzEmptied(f *testing.F) {
	for _, text := range []string{
		"TRUNCATE a", "DROP TABLE IF EXISTS `a``b`, \"c\".d", "ALTER TABLE a ADD (x INT), RENAME AS b", "RENAME TABLE a TO b, c.d WAIT 5 TO e",
		"/*!50000 DROP*/ # x\n TABLE a", "ALTER IGNORE TABLE a -- c\n DROP PARTITION p", "CREATE OR REPLACE TABLE 'it''s\\'", "DROP /*", "DROP SCHEMA IF EXISTS shop",
	} {
		f.Add(text)
	}
	tables := []ddl.TableName{{Schema: "shop", Name: "a"}, {Schema: "shop", Name: "b"}}
	names := NewNames(ddl.Dialect{}, tables)
	f.Fuzz(func(t *testing.T, text string) {
		found := EmptiedBy(&Statement{Schema: "shop", Text: text}, names)
		if len(found) > len(tables) {
			t.Fatalf("%q empties %v", text, found)
		}
	})
}
