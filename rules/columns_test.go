package rules

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestKnownColumns holds columns.txt against the tables of the test salon, and has those of every action among them.
func TestKnownColumns(t *testing.T) {
	t.Parallel()
	tables, err := os.ReadFile("../dbtest/salon.sql")
	if err != nil {
		t.Fatal(err)
	}
	column := regexp.MustCompile("`(\\w+)` (tinyint|smallint|int|bigint|decimal|float|double|varchar|char|text|mediumtext|longtext|date|datetime|timestamp|time|enum|binary|varbinary|blob)\\b")
	var want strings.Builder
	for _, create := range strings.Split(string(tables), "CREATE TABLE `{prefix}")[1:] {
		name, rest, _ := strings.Cut(create, "`")
		if !strings.HasPrefix(name, "vikappointments_") {
			continue
		}
		want.WriteString(name + ":")
		for _, m := range column.FindAllStringSubmatch(rest, -1) {
			kind := "t"
			switch m[2] {
			case "tinyint", "smallint", "int", "bigint":
				kind = "i"
			case "decimal", "float", "double":
				kind = "f"
			case "date", "datetime":
				kind = m[2]
			}
			want.WriteString(" " + m[1] + "/" + kind)
		}
		want.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile("columns.txt", []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if knownColumns != want.String() {
		t.Errorf("got:\n%s\nwant:\n%s", knownColumns, want.String())
	}
	for _, a := range Actions() {
		if len(a.Columns()) < 3 {
			t.Errorf("of %s are known the columns %v", a, a.Columns())
		}
	}
}
