package charset

import "strings"

// OfCollation names the charset of a collation by its id, empty when it is not known. The ids are the same on every
// server (information_schema.collations); TestCollationsOfServer compares them with one. MySQL has ids up to 323,
// MariaDB adds three groups of its own.
func OfCollation(collation uint64) string {
	switch {
	case collation >= 2048: // MariaDB's uca1400: 256 for each charset
		return unicodeCharset((collation-2048)/256, "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32")
	case collation > 1024: // MariaDB's NOPAD collations: 1024 more than the padded one
		return OfCollation(collation - 1024)
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

// oldCharset is OfCollation for the ids given out one by one.
func oldCharset(collation uint64) string {
	if collation >= 248 && collation <= 250 {
		return "gb18030"
	}
	names := [...]string{
		1: "big5", 2: "latin2", 3: "dec8", 4: "cp850", 5: "latin1", 6: "hp8", 7: "koi8r", 8: "latin1", 9: "latin2", 10: "swe7", 11: "ascii", 12: "ujis",
		13: "sjis", 14: "cp1251", 15: "latin1", 16: "hebrew", 18: "tis620", 19: "euckr", 20: "latin7", 21: "latin2", 22: "koi8u", 23: "cp1251",
		24: "gb2312", 25: "greek", 26: "cp1250", 27: "latin2", 28: "gbk", 29: "cp1257", 30: "latin5", 31: "latin1", 32: "armscii8", 33: "utf8mb3",
		34: "cp1250", 35: "ucs2", 36: "cp866", 37: "keybcs2", 38: "macce", 39: "macroman", 40: "cp852", 41: "latin7", 42: "latin7", 43: "macce",
		44: "cp1250", 45: "utf8mb4", 46: "utf8mb4", 47: "latin1", 48: "latin1", 49: "latin1", 50: "cp1251", 51: "cp1251", 52: "cp1251", 53: "macroman",
		54: "utf16", 55: "utf16", 56: "utf16le", 57: "cp1256", 58: "cp1257", 59: "cp1257", 60: "utf32", 61: "utf32", 62: "utf16le", 63: "binary",
		64: "armscii8", 65: "ascii", 66: "cp1250", 67: "cp1256", 68: "cp866", 69: "dec8", 70: "greek", 71: "hebrew", 72: "hp8", 73: "keybcs2", 74: "koi8r",
		75: "koi8u", 76: "utf8mb3", 77: "latin2", 78: "latin5", 79: "latin7", 80: "cp850", 81: "cp852", 82: "swe7", 83: "utf8mb3", 84: "big5", 85: "euckr",
		86: "gb2312", 87: "gbk", 88: "sjis", 89: "tis620", 90: "ucs2", 91: "ujis", 92: "geostd8", 93: "geostd8", 94: "latin1", 95: "cp932", 96: "cp932",
		97: "eucjpms", 98: "eucjpms", 99: "cp1250",
	}
	if collation >= uint64(len(names)) {
		return ""
	}
	return names[collation]
}

// Named is the server's name of a charset, in lower case, empty when there is none of that name.
func Named(name string) string {
	name = strings.ToLower(name)
	if name == "utf8" {
		return "utf8mb3"
	}
	for id := range uint64(256) {
		if oldCharset(id) == name {
			return name
		}
	}
	return ""
}
