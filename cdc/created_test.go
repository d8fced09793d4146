package cdc

import (
	"fmt"
	"testing"

	"rowhook/cdc/schema"
)

func TestCreatedNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CREATE TABLE a (b INT)":                                               "[.a]",
		"/* x */ create or replace table `s`.`a` LIKE b":                       "[s.a]",
		"CREATE TABLE IF NOT EXISTS s.a SELECT 1":                              "[s.a]",
		"CREATE TEMPORARY TABLE a (b INT)":                                     "[]",
		"CREATE VIEW a AS SELECT 1":                                            "[]",
		"RENAME TABLE a TO b, s.c TO t.d":                                      "[.b t.d]",
		"ALTER TABLE a ADD COLUMN b INT, RENAME TO s.c":                        "[s.c]",
		"ALTER TABLE a RENAME COLUMN b TO c":                                   "[]",
		"ALTER TABLE a ADD COLUMN b INT DEFAULT (rename), RENAME INDEX x TO y": "[]",
		"DROP TABLE a":      "[]",
		"TRUNCATE a":        "[]",
		"RENAME TABLE a":    "[]",
		"ALTER TABLE a (":   "[]",
		"CREATE TABLE":      "[.]",
		"RENAME TABLE a TO": "[.]",
	} {
		if got := fmt.Sprint(createdNames((&schema.Statement{Text: text}).Cursor())); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
