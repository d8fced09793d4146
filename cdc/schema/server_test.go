package schema

import (
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/sqlmap"
	"rowhook/dbtest"
)

// TestQuestionsAreSmall: a server with many tables does not open them all for a question about one.
func TestQuestionsAreSmall(t *testing.T) {
	t.Parallel()
	conn := cdctest.Conn(t, dbtest.Start(t).DB(t, ""))
	for _, query := range []string{askColumns, askCollation, askUnique} {
		plan, err := sqlmap.Rows(t.Context(), conn, "EXPLAIN "+strings.NewReplacer("schema = ?", "schema = 'mysql'", "name = ?", "name = 'db'").Replace(query))
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range plan {
			if !strings.Contains(table["Extra"], "Scanned 0 databases") {
				t.Errorf("%s\nis answered so: %v", query, table)
			}
		}
	}
}
