package cdctest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"rowhook/dbtest"
)

// TablesOfTypes are tables that together have every column type and charset that is decoded.
func TablesOfTypes(kind dbtest.Kind) []Table {
	tables := []Table{
		{"integers", integerColumns(kind)},
		{"fractions", fractionColumns(kind)},
		{"times", timeColumns(kind)},
		{"strings", stringColumns(kind)},
		{"charsets", charsetColumns(kind)},
		{"others", otherColumns(kind)},
	}
	if kind.MySQL() {
		return append(tables, Table{"documents", documentColumns()})
	}
	return append(tables, Table{"compressed", compressedColumns()})
}

func integerColumns(kind dbtest.Kind) []Column {
	var columns []Column
	for _, c := range []struct {
		name string
		bits int
	}{{"TINYINT", 8}, {"SMALLINT", 16}, {"MEDIUMINT", 24}, {"INT", 32}, {"BIGINT", 64}} {
		low, high := int64(-1)<<(c.bits-1), int64(math.MaxInt64)>>(64-c.bits)
		all := uint64(math.MaxUint64) >> (64 - c.bits)
		columns = append(columns, Column{
			Def:    c.name,
			Values: []string{fmt.Sprint(low), fmt.Sprint(low + 1), "-1", "0", "1", fmt.Sprint(high)},
			Random: func(r *rand.Rand) string { return fmt.Sprint(int64(r.Uint64()) >> r.IntN(64) >> (64 - c.bits)) },
		}, Column{
			Def:    c.name + " UNSIGNED",
			Values: []string{"0", "1", fmt.Sprint(high), fmt.Sprint(uint64(high) + 1), fmt.Sprint(all - 1), fmt.Sprint(all)},
			Random: func(r *rand.Rand) string { return fmt.Sprint(r.Uint64() >> r.IntN(64) & all) },
		})
	}
	for _, bits := range []int{1, 8, 9, 33, 64} {
		columns = append(columns, Column{
			Def:    fmt.Sprintf("BIT(%d)", bits),
			Values: []string{"0", "1", "b'" + strings.Repeat("1", bits) + "'"},
			Random: func(r *rand.Rand) string { return fmt.Sprintf("b'%b'", r.Uint64()>>(64-bits)) },
		})
	}
	columns = append(columns, Column{Def: "YEAR", Values: []string{"0", "1901", "2000", "2155"}})
	if !kind.MySQL() {
		columns = append(columns, Column{Def: "YEAR(2)", Values: []string{"0", "69", "70", "2001"}})
	}
	return columns
}

func fractionColumns(kind dbtest.Kind) []Column {
	var columns []Column
	sizes := [][2]int{{1, 0}, {5, 5}, {9, 0}, {10, 2}, {18, 9}, {19, 10}, {30, 30}, {65, 0}, {65, 30}, {64, 1}}
	if !kind.MySQL() {
		sizes = append(sizes, [2]int{38, 38})
	}
	for _, d := range sizes {
		digits := func(r *rand.Rand, n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte('0' + r.IntN(10))
			}
			return string(b)
		}
		columns = append(columns, Column{
			Def: fmt.Sprintf("DECIMAL(%d,%d)", d[0], d[1]),
			Values: []string{
				"0", "-0.0", strings.Repeat("9", 65), "-" + strings.Repeat("9", 65), "0." + strings.Repeat("9", d[1]+1),
				"-0." + strings.Repeat("0", max(0, d[1]-1)) + "1", "1", "-1", "0.5", "1000000000", "-1000000001.000000001",
			},
			Random: func(r *rand.Rand) string {
				sign := []string{"", "-"}[r.IntN(2)]
				return sign + digits(r, 1+r.IntN(max(1, d[0]-d[1]))) + "." + digits(r, 1+d[1])
			},
		})
	}
	floats := []string{
		"0", "-0e0", "0.1", "-0.1", "1", "10", "100000", "999999", "1000000", "999999.5", "16777216", "1234567.8", "-1234567.125",
		"1e14", "1e15", "123456789012345", "1234567890123456", "12345678901234567", "123456789012345678", "1e16", "1e20", "-1e20", "3.4e38",
		"0.001", "1e-5", "1e-13", "1e-14", "1e-15", "1.5e-15", "1e-16", "1.17549435e-38", "1e-45", "0.3333333333333333", "1e15/3", "2.5", "0.125", "0.0625",
	}
	doubles := slices.Concat(floats, []string{"1.7976931348623157e308", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "1e100", "1e-100"})
	float := func(r *rand.Rand) string { return fmt.Sprintf("%g", math.Ldexp(r.Float64()-0.5, r.IntN(120)-60)) }
	double := func(r *rand.Rand) string { return fmt.Sprintf("%g", math.Ldexp(r.Float64()-0.5, r.IntN(1000)-500)) }
	for _, def := range []string{"FLOAT", "FLOAT(10,3)", "FLOAT(9,0)"} {
		columns = append(columns, Column{Def: def, Values: floats, Random: float})
	}
	for _, def := range []string{"DOUBLE", "DOUBLE(20,4)", "DOUBLE(30,16)"} {
		columns = append(columns, Column{Def: def, Values: doubles, Random: double})
	}
	return columns
}

func timeColumns(kind dbtest.Kind) []Column {
	moment := func(r *rand.Rand) string {
		return fmt.Sprintf("'%04d-%02d-%02d %02d:%02d:%02d.%06d'", 1000+r.IntN(9000), r.IntN(13), r.IntN(29), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e6))
	}
	timestamps := []string{
		"'0000-00-00'", "'1970-01-01 00:00:01'", "'1970-01-01 00:00:00.500000'", "'2038-01-19 03:14:07.999999'", "'2024-02-29 23:59:59.123456'",
		"'2024-03-31 02:30:00'", "'2024-10-27 02:30:00.5'", "'2024-10-27 01:30:00'", // where clocks change: not there, and there twice
	}
	if kind == dbtest.MariaDB118 {
		timestamps = append(timestamps, "'2106-02-07 06:28:15.999999'", "'2038-01-19 03:14:08'")
	}
	columns := []Column{{
		Def:    "DATE",
		Values: []string{"'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'2024-00-00'", "'2024-05-00'", "'0001-01-01'"},
		Random: moment,
	}}
	for n := range 7 {
		columns = append(columns, Column{
			Def: fmt.Sprintf("TIME(%d)", n),
			Values: []string{
				"'00:00:00'", "'-838:59:59.999999'", "'838:59:59.999999'", "'-00:00:00.000001'", "'-00:00:01'", "'-00:00:00.5'", "'100:00:00'",
				"'-01:02:03.400000'", "'23:59:59.900000'", "'-00:00:01.010203'",
			},
			Random: func(r *rand.Rand) string {
				return fmt.Sprintf("'%s%d:%02d:%02d.%06d'", []string{"", "-"}[r.IntN(2)], r.IntN(839), r.IntN(60), r.IntN(60), r.IntN(1e6))
			},
		}, Column{
			Def: fmt.Sprintf("DATETIME(%d)", n),
			Values: []string{
				"'0000-00-00'", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'9999-12-31 23:59:58.999999'", "'2024-00-00 01:02:03.5'",
				"'2024-02-29 12:00:00.000001'", "'0000-00-00 10:00:00'", "'1970-01-01 00:00:00'",
			},
			Random: moment,
		}, Column{
			Def:    fmt.Sprintf("TIMESTAMP(%d)", n),
			Values: timestamps,
			Random: func(r *rand.Rand) string {
				return fmt.Sprintf("FROM_UNIXTIME(%d.%06d)", 1+r.IntN(math.MaxInt32-1), r.IntN(1e6))
			},
		})
	}
	return columns
}

func stringColumns(kind dbtest.Kind) []Column {
	var columns []Column
	text := func(most int) func(r *rand.Rand) string {
		return func(r *rand.Rand) string {
			return quoteText(randomText(r, "aZ09 '\\\n\x00äß€漢😀", r.IntN(most)))
		}
	}
	values := []string{"''", "' '", "' a '", "'é漢😀'", "'a\\0b'", `'\\\\'`}
	for _, c := range []struct {
		def  string
		most int
	}{
		{"CHAR(1)", 3}, {"CHAR(63)", 80}, {"CHAR(64)", 80}, {"CHAR(255)", 300}, {"VARCHAR(63)", 80}, {"VARCHAR(64)", 80}, {"VARCHAR(300)", 400},
		{"TINYTEXT", 100}, {"TEXT", 3000}, {"MEDIUMTEXT", 20000}, {"LONGTEXT", 20000},
	} {
		columns = append(columns, Column{Def: c.def, Values: values, Random: text(c.most)})
	}
	if !kind.MySQL() {
		columns = append(columns, Column{Def: "JSON", Values: []string{`'{}'`, `'{"a": [1, 2.50, "é"]}'`}})
	}
	binary := func(most int) func(r *rand.Rand) string {
		return func(r *rand.Rand) string {
			b := make([]byte, r.IntN(most))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			return fmt.Sprintf("x'%x'", b)
		}
	}
	for _, c := range []struct {
		def  string
		most int
	}{
		{"BINARY(1)", 3}, {"BINARY(4)", 7}, {"BINARY(255)", 300}, {"VARBINARY(255)", 300}, {"VARBINARY(256)", 300},
		{"TINYBLOB", 300}, {"BLOB", 5000}, {"MEDIUMBLOB", 70000}, {"LONGBLOB", 70000},
	} {
		values := []string{"''", "x'00'", "x'0000'", "x'610000'", "x'6120'", "x'ff'"}
		columns = append(columns, Column{Def: c.def, Values: values, Random: binary(c.most)})
	}
	return columns
}

// charsetColumns has columns in every charset of MariaDB, with letters that most of them have and some that few have.
func charsetColumns(kind dbtest.Kind) []Column {
	var columns []Column
	for _, charset := range []string{
		"armscii8", "ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932", "dec8", "eucjpms", "euckr",
		"gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce",
		"macroman", "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4",
	} {
		letters := "abc @[{|}~ éäßŁşžПривіт ελλ עבר ไทย اب Հա ა 漢字 日本 中文 カナ 한국 €“”…™"
		switch charset {
		case "big5", "sjis", "cp932", "ujis", "eucjpms": // not every sign is as the server has it
			letters = "abc @[{|}~ 漢字 日本 中文"
		}
		columns = append(columns, Column{
			Def:    "VARCHAR(40) CHARACTER SET " + charset,
			Values: []string{"''", "'plain'", quoteText("日本 中文 " + letters)},
			Random: func(r *rand.Rand) string { return quoteText(randomText(r, letters, r.IntN(40))) },
		}, Column{
			Def:    "CHAR(70) CHARACTER SET " + charset,
			Values: []string{"''", "'plain  '"},
			Random: func(r *rand.Rand) string { return quoteText(randomText(r, letters, r.IntN(70))) },
		})
	}
	collations := []string{"utf8mb4_uca1400_ai_ci", "utf8mb4_unicode_520_nopad_ci", "ucs2_croatian_ci", "latin1_nopad_bin"}
	if kind.MySQL() {
		collations = []string{"utf8mb4_0900_ai_ci", "utf8mb4_ja_0900_as_cs_ks", "utf8mb4_0900_bin", "utf8mb4_mn_cyrl_0900_as_cs"}
	}
	for _, collation := range collations {
		columns = append(columns, Column{Def: "TEXT COLLATE " + collation, Values: []string{"'é'", "'plain'"}})
	}
	return columns
}

// compressedColumns has MariaDB's COMPRESSED columns, whose values are packed or not, with and without a frame.
func compressedColumns() []Column {
	var columns []Column
	values := []string{"''", "'a'", "REPEAT('a', 99)", "REPEAT('ab', 50)", "REPEAT('c', 200)"}
	for _, c := range []struct {
		def  string
		most int
	}{
		{"VARCHAR(254) COMPRESSED CHARACTER SET latin1", 254}, {"VARCHAR(255) COMPRESSED CHARACTER SET latin1", 255}, {"VARCHAR(3000) COMPRESSED", 1000},
		{"VARBINARY(40) COMPRESSED", 40}, {"VARBINARY(1000) COMPRESSED", 300}, {"VARCHAR(100) COMPRESSED CHARACTER SET ucs2", 100},
		{"TINYTEXT COMPRESSED", 200}, {"TEXT COMPRESSED CHARACTER SET gbk", 5000}, {"MEDIUMTEXT COMPRESSED", 70000}, {"LONGTEXT COMPRESSED", 70000},
		{"TINYBLOB COMPRESSED", 200}, {"BLOB COMPRESSED", 5000}, {"MEDIUMBLOB COMPRESSED", 70000}, {"LONGBLOB COMPRESSED", 70000},
	} {
		columns = append(columns, Column{
			Def: c.def, Values: values,
			Random: func(r *rand.Rand) string {
				return fmt.Sprintf("REPEAT(%s, %d)", quoteText(randomText(r, "abc dé", 1+r.IntN(30))), r.IntN(c.most/30+1))
			},
		})
	}
	return columns
}

func otherColumns(kind dbtest.Kind) []Column {
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprintf("'label %d'", i)
	}
	bits := many[:64]
	columns := []Column{
		{Def: "ENUM(" + strings.Join(many, ",") + ")", Values: []string{"1", "255", "256", "300", "0", "'nothing'"}},
		{Def: "SET(" + strings.Join(bits, ",") + ")", Values: []string{"0", "1", "3", "0x8000000000000001", "0xffffffffffffffff"}},
		{Def: `ENUM('it''s','back\\slash','a,b','line\nbreak','','(x)','	','ünï')`, Values: []string{"1", "2", "3", "4", "5", "6", "7", "8"}},
		{Def: "ENUM('grün','été') CHARACTER SET latin1", Values: []string{"1", "2"}},
		{Def: "ENUM('да','нет') CHARACTER SET ucs2", Values: []string{"1", "2"}},
		{Def: "SET('grün','été','') CHARACTER SET latin1", Values: []string{"1", "2", "3", "7"}},
		{Def: "POINT", Values: []string{"POINT(1,2)", "POINT(-1.5,1e10)"}},
		{Def: "GEOMETRY", Values: []string{"ST_GeomFromText('LINESTRING(0 0,1 1,2 4)')", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326)"}},
		{Def: "VARCHAR(9) CHARACTER SET latin1", Values: []string{"'été'"}},
	}
	if kind.MySQL() {
		return append(columns, Column{Def: "VECTOR(3)", Values: []string{"TO_VECTOR('[1,2,3]')", "TO_VECTOR('[-1.5,1e10,0]')"}})
	}
	hex := func(bytes int) func(r *rand.Rand) string {
		return func(r *rand.Rand) string {
			b := make([]byte, bytes)
			for i := range b {
				if r.IntN(3) > 0 { // runs of zeros matter
					b[i] = byte(r.Uint32())
				}
			}
			return fmt.Sprintf("x'%x'", b)
		}
	}
	columns = append(columns,
		Column{Def: "INET4", Values: []string{"'0.0.0.0'", "'1.2.3.4'", "'255.255.255.255'", "'10.0.0.0'"}, Random: hex(4)},
		Column{Def: "INET6", Values: []string{
			"'::'", "'::1'", "'2001:db8::'", "'ff::ff00'", "'::1.2.3.4'", "'::ffff:1.2.3.4'", "'::1:0'", "'::2:0:0:0'", "'1:0:2:3:4:5:6:7'", "'1:0:0:2:3:0:0:4'",
			"'1:2:3:4:5:6:7:0'", "'0:2:3:4:5:6:7:8'", "'::ffff:0:0:0'", "'::fffe:1.2.3.4'",
		}, Random: hex(16)},
		Column{Def: "UUID", Values: []string{
			"'123e4567-e89b-12d3-a456-426655440000'", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
			"'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'", "'1ec9414c-232a-6b00-b3c8-9f6bdeced846'",
		}, Random: hex(16)},
	)
	if kind != dbtest.MariaDB1011 {
		columns = append(columns, Column{Def: "VECTOR(3)", Values: []string{"VEC_FromText('[1,2,3]')", "VEC_FromText('[-1.5,1e10,0]')"}})
	}
	return columns
}

func randomText(r *rand.Rand, letters string, n int) string {
	alphabet := []rune(letters)
	text := make([]rune, n)
	for i := range text {
		text[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(text)
}

func quoteText(s string) string {
	return "'" + strings.NewReplacer("'", "''", "\\", "\\\\", "\x00", "\\0").Replace(s) + "'"
}
