package cdc

// charsetOf names the charset of a collation by its id, empty when it is not known. The ids are the same on every
// server (information_schema.collations); TestCollationsOfServer compares them with one. MySQL has ids up to 323,
// MariaDB adds three groups of its own.
func charsetOf(collation uint64) string {
	switch {
	case collation >= 2048: // MariaDB's uca1400: 256 for each charset
		return unicodeCharset((collation-2048)/256, "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32")
	case collation > 1024: // MariaDB's NOPAD collations: 1024 more than the padded one
		return charsetOf(collation - 1024)
	case collation >= 576: // MariaDB's own languages: 32 for each charset
		return unicodeCharset((collation-576)/32, "utf8mb3", "utf8mb4", "ucs2", "utf16", "", "utf32")
	case collation >= 255 && collation <= 323:
		return "utf8mb4"
	case collation >= 224 && collation <= 247:
		return "utf8mb4"
	case collation >= 192 && collation <= 223:
		return "utf8mb3"
	case collation >= 160 && collation <= 183:
		return "utf32"
	case collation >= 128 && collation <= 159:
		return "ucs2"
	case collation >= 101 && collation <= 124:
		return "utf16"
	}
	return oldCharset(collation)
}

func unicodeCharset(n uint64, names ...string) string {
	if n >= uint64(len(names)) {
		return ""
	}
	return names[n]
}

// oldCharset is charsetOf for the ids given out one by one.
func oldCharset(collation uint64) string {
	switch collation {
	case 1, 84:
		return "big5"
	case 2, 9, 21, 27, 77:
		return "latin2"
	case 3, 69:
		return "dec8"
	case 4, 80:
		return "cp850"
	case 5, 8, 15, 31, 47, 48, 49, 94:
		return "latin1"
	case 6, 72:
		return "hp8"
	case 7, 74:
		return "koi8r"
	case 10, 82:
		return "swe7"
	case 11, 65:
		return "ascii"
	case 12, 91:
		return "ujis"
	case 13, 88:
		return "sjis"
	case 14, 23, 50, 51, 52:
		return "cp1251"
	case 16, 71:
		return "hebrew"
	case 18, 89:
		return "tis620"
	case 19, 85:
		return "euckr"
	case 20, 41, 42, 79:
		return "latin7"
	case 22, 75:
		return "koi8u"
	case 24, 86:
		return "gb2312"
	case 25, 70:
		return "greek"
	case 26, 34, 44, 66, 99:
		return "cp1250"
	case 28, 87:
		return "gbk"
	case 29, 58, 59:
		return "cp1257"
	case 30, 78:
		return "latin5"
	case 32, 64:
		return "armscii8"
	case 33, 76, 83:
		return "utf8mb3"
	case 35, 90:
		return "ucs2"
	case 36, 68:
		return "cp866"
	case 37, 73:
		return "keybcs2"
	case 38, 43:
		return "macce"
	case 39, 53:
		return "macroman"
	case 40, 81:
		return "cp852"
	case 45, 46:
		return "utf8mb4"
	case 54, 55:
		return "utf16"
	case 56, 62:
		return "utf16le"
	case 57, 67:
		return "cp1256"
	case 60, 61:
		return "utf32"
	case 63:
		return "binary"
	case 92, 93:
		return "geostd8"
	case 95, 96:
		return "cp932"
	case 97, 98:
		return "eucjpms"
	case 248, 249, 250:
		return "gb18030"
	}
	return ""
}
