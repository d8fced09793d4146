package cdctest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// documentColumns has MySQL's JSON: every type of value, small and large containers, random trees.
func documentColumns() []Column {
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
	return []Column{{Def: "JSON", Values: values, Random: func(r *rand.Rand) string { return quoteText(randomDocument(r, 6)) }}}
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
