package charset

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"rowhook/dbtest"
)

func TestTextDecoders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, bytes, want string }{
		{"latin1", "plain text \x80\x81\xff", "plain text €\u0081ÿ"},
		{"cp1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
		{"koi8r", "\xf0\xd2", "Пр"},
		{"swe7", "[}~\xe5", "Äåü\ufffd"},
		{"tis620", "\xa1", "ก"},
		{"gbk", "a\xd6\xd0\xce\xc4", "a中文"},
		{"gbk", "a\xd6", "a\ufffd"},
		{"gbk", "\xd6\xd0\xa3\xa0\x80\xce\xc4\xa2\xe3\xff", "中\ufffd\ufffd文\ufffd\ufffd"},
		{"gb2312", "\xa1\xaa\xd6\xd0\x81\x40", "―中\ufffd@"},
		{"gb18030", "\x94\x39\xda\x33", "💩"},
		{"big5", "\xa4\xa4", "中"},
		{"cp932", "\x93\xfa\x96\x7b", "日本"},
		{"eucjpms", "\xc6\xfc", "日"},
		{"euckr", "\xc7\xd1", "한"},
		{"utf16", "\x00a\xd8\x3d\xde\x00", "a😀"},
		{"utf16", "\xd8\x3d\x00a\xde\x00\x00", "\ufffda\ufffd\ufffd"},
		{"utf16le", "a\x00\x3d\xd8\x00\xde", "a😀"},
		{"ucs2", "\x04\x3f", "п"},
		{"utf32", "\x00\x01\xf6\x00\xff\xff\xff\xff\x00", "😀\ufffd\ufffd"},
		{"utf8mb4", "a\xf0\x9f\x98\x80\xf0", "a😀\ufffd"},
	} {
		d, err := NewDecoder(c.charset)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(d.Append([]byte("> "), []byte(c.bytes))); got != "> "+c.want {
			t.Errorf("%s %q: %q, want %q", c.charset, c.bytes, got[2:], c.want)
		}
	}
	if _, err := NewDecoder("klingon"); err == nil {
		t.Error("no error for a charset that does not exist")
	}
}

// MySQL's own collations, which a MariaDB server cannot confirm.
func TestCollationsOfMySQL(t *testing.T) {
	t.Parallel()
	for id, want := range map[uint64]string{
		8: "latin1", 63: "binary", 76: "utf8mb3", 248: "gb18030", 250: "gb18030", 255: "utf8mb4", 309: "utf8mb4", 323: "utf8mb4",
		0: "", 17: "", 254: "", 324: "", 1 << 40: "",
	} {
		if got := OfCollation(id); got != want {
			t.Errorf("collation %d is %q, want %q", id, got, want)
		}
	}
}

func TestCharsetsOfServer(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			conn, err := dbtest.StartServer(t, kind).DB(t, "").Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			testCharsetsOfServer(t, conn, kind.MySQL())
		})
	}
}

func testCharsetsOfServer(t *testing.T, conn *sql.Conn, mysql bool) {
	t.Helper()
	of := "SELECT id, character_set_name FROM information_schema.collation_character_set_applicability"
	if mysql {
		of = "SELECT id, character_set_name FROM information_schema.collations"
	}
	rows, err := conn.QueryContext(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	charsets := map[string]bool{}
	for rows.Next() {
		var id uint64
		var charset string
		if err := rows.Scan(&id, &charset); err != nil {
			t.Fatal(err)
		}
		if got := OfCollation(id); got != charset {
			t.Errorf("collation %d is %q, want %q", id, got, charset)
		}
		charsets[charset] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(charsets) < 40 {
		t.Fatalf("the server has only the charsets %v", charsets)
	}
	for charset := range charsets {
		d, err := NewDecoder(charset)
		if err != nil {
			t.Error(err)
		}
		switch charset {
		case "gbk", "gb2312", "euckr":
			compareCharacters(t, conn, charset, d, 2)
		case "binary", "big5", "gb18030", "sjis", "cp932", "ujis", "eucjpms", "ucs2", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4":
		default:
			compareCharacters(t, conn, charset, d, 1)
		}
	}
}

// compareCharacters decodes every text of a size in bytes as the server does, also those that are no character: of these
// the server makes a question mark, or nothing at all.
func compareCharacters(t *testing.T, conn *sql.Conn, charset string, d Decoder, size int) {
	t.Helper()
	first, last := 0, 0xff
	if size == 2 {
		first, last = 0x8000, 0xffff
	}
	var codes []string
	for code := first; code <= last; code++ {
		codes = append(codes, fmt.Sprintf("(%d)", code))
	}
	for _, q := range []string{"CREATE DATABASE IF NOT EXISTS cs", "DROP TABLE IF EXISTS cs.codes", "CREATE TABLE cs.codes (code INT)", "INSERT INTO cs.codes VALUES " + strings.Join(codes, ",")} {
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.QueryContext(t.Context(), fmt.Sprintf("SELECT code, CONVERT(CONVERT(UNHEX(LPAD(HEX(code), %d, '0')) USING %s) USING utf8mb4) FROM cs.codes", 2*size, charset))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	compared := 0
	for rows.Next() {
		var code uint32
		var want sql.NullString
		if err := rows.Scan(&code, &want); err != nil {
			t.Fatal(err)
		}
		bytes := binary.BigEndian.AppendUint32(nil, code)[4-size:]
		none := !want.Valid || want.String == "" || strings.Contains(want.String, "?") && code != '?'
		got := string(d.Append(nil, bytes))
		if none && !strings.ContainsRune(got, utf8.RuneError) || !none && got != want.String {
			t.Errorf("%s %x: %+q, want %+q", charset, bytes, got, want.String)
		}
		if !none {
			compared++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if compared < 95 {
		t.Errorf("%s: only %d characters compared", charset, compared)
	}
}

// FuzzText decodes text of any bytes in every charset that the servers have.
func FuzzText(f *testing.F) {
	charsets := []string{"utf8mb4", "utf8mb3", "utf8", "ascii", "binary"}
	for id := range uint64(256) {
		if c := OfCollation(id); c != "" && !slices.Contains(charsets, c) {
			charsets = append(charsets, c)
		}
	}
	for i := range charsets {
		f.Add(uint(i), []byte("plain \x80\x81\xff\xd8\x3d\xde\x00\xa1\xfe\x94\x39\xda\x33\x8f\xa1\xa1"))
	}
	f.Fuzz(func(t *testing.T, which uint, value []byte) {
		charset := charsets[which%uint(len(charsets))]
		d, err := NewDecoder(charset)
		if err != nil {
			t.Fatal(err)
		}
		text := d.Append([]byte("> "), value)
		if !bytes.HasPrefix(text, []byte("> ")) || !bytes.Equal(text, bytes.ToValidUTF8(text, nil)) {
			t.Fatalf("%s %x is %q", charset, value, text)
		}
		if len(text) > 3*len(value)+16 {
			t.Fatalf("%s: %d bytes became %d", charset, len(value), len(text))
		}
	})
}
