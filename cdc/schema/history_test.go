package schema

import (
	"testing"

	"rowhook/cdc/schema/ddl"
	"rowhook/sqltext"
)

// A table without text is known, whether its schema's charset is or not; with text it is not.
func TestTableWithoutText(t *testing.T) {
	t.Parallel()
	for text, readable := range map[string]bool{
		"CREATE TABLE a (id INT PRIMARY KEY, d DATETIME, b BLOB, j DECIMAL(5,2))": true,
		"CREATE TABLE a (id INT, s VARCHAR(20))":                                  false,
		"CREATE TABLE a (id INT, s VARCHAR(20) CHARACTER SET latin1)":             true,
		"CREATE TABLE a (id INT, s VARCHAR(20)) CHARACTER SET latin1":             true,
	} {
		h := NewHistory(map[string]map[string]bool{"s": {"a": true}})
		ops, ok := ddl.Read(ddl.Dialect{}, "s", text)
		if !ok || h.Apply(&ops[0]) != nil {
			t.Fatal(text)
		}
		is := h.Get(ddl.TableName{Schema: "s", Name: "a"})
		if is == nil || is.VagueColumns() == readable {
			t.Errorf("%s: %+v", text, is)
		}
	}
}

// FuzzHistory applies what was understood of statements: no panic, and what is stored comes back.
func FuzzHistory(f *testing.F) {
	const ansiQuotes, noBackslashEscapes = 1 << 2, 1 << 20 // of sql_mode
	for _, text := range []string{
		"CREATE TABLE a (id INT PRIMARY KEY, e ENUM('p', 'q''r'))", "CREATE TABLE b LIKE a", "CREATE OR REPLACE TABLE a (x YEAR(2))",
		"ALTER TABLE a ADD x FLOAT(7,3) FIRST, DROP id, ADD PRIMARY KEY (x, e DESC)", "ALTER TABLE a RENAME COLUMN e TO f, RENAME b",
		"RENAME TABLE a TO b, c TO a", "DROP TABLE IF EXISTS a, s.b", "CREATE DATABASE s DEFAULT CHARSET gbk", "DROP SCHEMA s",
	} {
		f.Add(text, uint64(0), true)
		f.Add(text, uint64(ansiQuotes|noBackslashEscapes), false)
	}
	f.Fuzz(func(t *testing.T, text string, mode uint64, mariaDB bool) {
		ops, ok := ddl.Read(ddl.Dialect{Dialect: sqltext.Dialect{MariaDB: mariaDB, Version: 101106, SQLMode: mode}}, "s", text)
		if !ok {
			return
		}
		h := NewHistory(map[string]map[string]bool{"s": {"a": true}})
		h.Learn(ddl.TableName{Schema: "s", Name: "a"}, &ddl.Definition{Charset: "utf8mb4", Key: []int{0}, Columns: []ddl.Column{{Name: "id", DataType: "int"}, {Name: "s", DataType: "varchar", Charset: "utf8mb4"}, {Name: "e", DataType: "enum", Enum: []string{"p"}}}})
		for i := range ops {
			_ = h.Apply(&ops[i])
		}
		checkRecords(t, h)
	})
}

// checkRecords wants that what is stored comes back.
func checkRecords(t *testing.T, h *History) {
	t.Helper()
	for _, r := range h.Commit() {
		if r.Data == nil {
			continue
		}
		name, is, err := r.parse()
		if err != nil {
			t.Fatalf("%s: %v", r.Data, err)
		}
		want := h.known[name]
		if d := want.Difference(is); d != "" || (is == ddl.Gone) != (want == ddl.Gone) {
			t.Fatalf("%s comes back as %+v, it was %+v", name, is, want)
		}
	}
}

func FuzzSchemaRecord(f *testing.F) {
	f.Add("s`a`.`b`", []byte(`{"schema":"a","name":"b","is":{"columns":[{"name":"id","type":"int"}],"key":[0],"charset":"utf8mb4"}}`))
	f.Add("s`a`.``", []byte(`{"schema":"a","is":{"charset":"latin1"}}`))
	f.Add("s`a`.`b`", []byte(`{"schema":"a","name":"b","is":null}`))
	f.Fuzz(func(t *testing.T, key string, data []byte) {
		r := Record{key, data}
		name, is, err := r.parse()
		if err != nil {
			return
		}
		for _, k := range is.Key {
			_ = is.Columns[k]
		}
		again := newRecord(name, is)
		if again.Data == nil {
			return // it grew too large
		}
		if n, d, err := again.parse(); err != nil || n != name || d.Difference(is) != "" || d.Charset != is.Charset {
			t.Fatalf("%s comes back as %s %+v: %v", data, n, d, err)
		}
	})
}
