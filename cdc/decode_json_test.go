package cdc

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// documentColumns has MySQL's JSON: every type of value, small and large containers, random trees.
func documentColumns() []typeColumn {
	long := strings.Repeat("x", 300)
	members := make([]string, 5000)
	for i := range members {
		members[i] = fmt.Sprintf(`"key %d": [%d, "%s"]`, i, i*100000, long[:i%50])
	}
	doubles := []string{
		"0.0", "-0.0", "1.0", "-1.5", "1e5", "100000.0", "1e14", "1e15", "123456789012345678.0", "1e16", "1e17", "1e20", "1e21", "1e22", "-1e100", "0.1", "1e-5", "1e-13",
		"1e-14", "1e-15", "1e-16", "0.3333333333333333", "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "1234567890123456.7", "12345.678901234567",
	}
	values := []string{
		`'null'`, `'true'`, `'false'`, `'{}'`, `'[]'`, `'""'`, `'"é漢😀"'`, `'{"": ""}'`, `'[[], {}, [[]], {"a": {}}]'`,
		`'[0, -1, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296]'`,
		`'[9223372036854775807, -9223372036854775808, 9223372036854775808, 18446744073709551615, 18446744073709551616]'`,
		"'[" + strings.Join(doubles, ", ") + "]'",
		`'{"bb": 1, "a": 2, "ccc": 3, "aa": 4, "é": 5, "b": 6}'`,
		`'"\\u0000\\u0001\\u001f\\u007f\\u0080 \\" \\\\ \\/ \\b\\f\\n\\r\\t"'`,
		`'{"quote\\"d": "back\\\\slash"}'`,
		"JSON_OBJECT('t', '" + long + "', 'l', REPEAT('y', 20000), 'h', REPEAT('z', 3000000))",
		"'{" + strings.Join(members, ", ") + "}'",
		"CAST(CONCAT(REPEAT('[', 100), REPEAT(']', 100)) AS JSON)",
		"CAST(CONCAT(REPEAT('{\"a\":', 99), '[1.0, null]', REPEAT('}', 99)) AS JSON)",
		"JSON_ARRAY(CAST('2015-01-15' AS DATE), CAST('2015-01-15 23:24:25.123456' AS DATETIME(6)), CAST('-838:59:59.5' AS TIME(1)), CAST('00:00:00' AS TIME), TIMESTAMP'0000-00-00 00:00:00')",
		"JSON_ARRAY(CAST('1.50' AS DECIMAL(10,2)), CAST('-0.001' AS DECIMAL(65,30)), CAST(REPEAT('9', 65) AS DECIMAL(65,0)), 1.5, 3.14e0, 0.0)",
		"JSON_ARRAY(x'00ff10', x'', b'101', CAST(REPEAT('abc', 100) AS BINARY), CAST('2024' AS YEAR), POINT(1, 2))",
		"CAST(x'cafe' AS JSON)", "CAST(CAST('12:34:56' AS TIME) AS JSON)", "CAST(1.0e0 AS JSON)", "CAST(18446744073709551615 AS JSON)",
		"JSON_REMOVE(JSON_SET('{\"a\": [1, 2, 3], \"b\": \"text\"}', '$.b', 'x', '$.a[1]', '2'), '$.a[0]')",
	}
	return []typeColumn{{def: "JSON", values: values, random: func(r *rand.Rand) string { return quoteText(randomDocument(r, 6)) }}}
}

// randomDocument is a random tree as JSON text.
func randomDocument(r *rand.Rand, depth int) string {
	kind := r.IntN(10)
	if depth == 0 {
		kind = r.IntN(6)
	}
	text := func() string { return strconv.Quote(randomText(r, "abc é漢😀,:{}[]", r.IntN(20))) }
	switch kind {
	case 0:
		return []string{"null", "true", "false"}[r.IntN(3)]
	case 1, 2:
		return fmt.Sprint(int64(r.Uint64()) >> r.IntN(64))
	case 3:
		return fmt.Sprint(r.Uint64() >> r.IntN(64))
	case 4:
		return strconv.FormatFloat(math.Ldexp(r.Float64()-0.5, r.IntN(200)-100), 'g', -1, 64)
	case 5:
		return text()
	}
	parts := make([]string, r.IntN(8))
	for i := range parts {
		parts[i] = randomDocument(r, depth-1)
		if kind < 8 {
			parts[i] = text() + ":" + parts[i]
		}
	}
	if kind < 8 {
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func TestJSONRefused(t *testing.T) {
	t.Parallel()
	// Each of a hundred entries of an array leads to the same next array, and so on.
	const entries, levels = 100, 40
	bomb := []byte{jsonSmallArray}
	for level := range levels {
		size := (levels - level) * (4 + 3*entries)
		bomb = binary.LittleEndian.AppendUint16(append(bomb, entries, 0), uint16(size))
		for range entries {
			bomb = binary.LittleEndian.AppendUint16(append(bomb, jsonSmallArray), 4+3*entries)
		}
	}
	bomb = append(bomb, 0, 0, 4, 0)
	for name, doc := range map[string][]byte{
		"unknown type":          {13, 0},
		"short integer":         {jsonInt64, 1, 2, 3},
		"unknown literal":       {jsonLiteral, 3},
		"short string":          {jsonString, 5, 'a'},
		"endless size":          {jsonString, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
		"short container":       {jsonSmallArray, 1, 0, 4},
		"size beyond the end":   {jsonSmallArray, 0, 0, 9, 0},
		"entries beyond size":   {jsonSmallArray, 9, 0, 4, 0},
		"count of four bytes":   {jsonLargeObject, 0xff, 0xff, 0xff, 0xff, 8, 0, 0, 0},
		"offset beyond the end": {jsonSmallArray, 1, 0, 7, 0, jsonString, 9, 0},
		"key beyond the end":    {jsonSmallObject, 1, 0, 11, 0, 11, 0, 5, 0, jsonLiteral, 0, 0},
		"itself":                {jsonSmallArray, 1, 0, 7, 0, jsonSmallArray, 0, 0},
		"decimal of no digits":  {jsonOpaque, 246, 2, 0, 0},
		"short decimal":         {jsonOpaque, 246, 3, 10, 2, 0},
		"short time":            {jsonOpaque, 12, 3, 10, 2, 0},
		"opaque without a type": {jsonOpaque},
		"bomb":                  bomb,
	} {
		if text, err := appendJSON(nil, doc); err == nil {
			t.Errorf("%s: it is %.200q", name, text)
		} else if len(text) > 10*len(doc)+200 {
			t.Errorf("%s: %d bytes of text were made", name, len(text))
		}
	}
	if text, err := appendJSON([]byte("x"), nil); err != nil || string(text) != "xnull" {
		t.Errorf("no bytes are %q, %v", text, err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte{jsonSmallArray, 2, 0, 12, 0, jsonInt16, 1, 0, jsonString, 10, 0, 1, 'a'})
	f.Add([]byte{jsonSmallObject, 1, 0, 12, 0, 11, 0, 1, 0, jsonLiteral, 1, 0, 'k'})
	f.Add([]byte{jsonOpaque, 246, 4, 4, 2, 0x80, 50})
	f.Add([]byte{jsonOpaque, 12, 8, 0, 0, 0, 0x15, 0x18, 0x5f, 0x95, 0x19})
	f.Add([]byte{jsonOpaque, 15, 2, 1, 2})
	f.Add([]byte{jsonDouble, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f})
	eachCaptured(f, func(isMySQL bool, tableMap, event rawEvent) {
		if isMySQL {
			addDocuments(f, tableMap, event)
		}
	})
	f.Fuzz(func(t *testing.T, doc []byte) {
		text, err := appendJSON(nil, doc)
		if err == nil && (len(text) == 0 || !utf8.Valid(text)) {
			t.Fatalf("%x is %q", doc, text)
		}
		if len(text) > 16*len(doc)+512 {
			t.Fatalf("%d bytes became %d", len(doc), len(text))
		}
	})
}

// addDocuments adds the documents of the first row of an event to the seeds.
func addDocuments(f *testing.F, tableMap, event rawEvent) {
	f.Helper()
	m, err := parseTableMap(mysql.MySQLFlavor, tableMap.body())
	if err != nil {
		f.Fatal(err)
	}
	columns, _ := columnsFromMap(m)
	l, err := newLayout(m, columns)
	if err != nil {
		f.Fatal(err)
	}
	h, rows, err := unpackedRows(byte(event.typ), event.body())
	if err != nil {
		f.Fatal(err)
	}
	present := h.after
	if h.op != Insert {
		present = h.before
	}
	_, data, err := l.nulls(present, rows) // no column is null
	if err != nil {
		f.Fatal(err)
	}
	for i := range l.fields {
		value, rest, ok := l.fields[i].cut(data)
		if !ok {
			f.Fatal(errTruncated)
		}
		if data = rest; l.fields[i].how == asJSON {
			f.Add(value)
		}
	}
}
