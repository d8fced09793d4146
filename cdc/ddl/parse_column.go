package ddl

import (
	"strconv"
	"strings"

	"rowhook/cdc/charset"
)

// dataTypes are the names of types of one word, with what information_schema calls them.
var dataTypes = map[string]string{
	"tinyint": "tinyint", "int1": "tinyint", "bool": "tinyint", "boolean": "tinyint",
	"smallint": "smallint", "int2": "smallint", "mediumint": "mediumint", "int3": "mediumint", "middleint": "mediumint",
	"int": "int", "integer": "int", "int4": "int", "bigint": "bigint", "int8": "bigint", "serial": "bigint",
	"float": "float", "float4": "float", "double": "double", "float8": "double", "real": "double",
	"decimal": "decimal", "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "bit": "bit",
	"date": "date", "time": "time", "datetime": "datetime", "timestamp": "timestamp", "year": "year",
	"char": "char", "character": "char", "nchar": "char", "varchar": "varchar", "varcharacter": "varchar", "nvarchar": "varchar",
	"binary": "binary", "varbinary": "varbinary", "enum": "enum", "set": "set",
	"tinytext": "tinytext", "text": "text", "mediumtext": "mediumtext", "longtext": "longtext", "long": "mediumtext",
	"tinyblob": "tinyblob", "blob": "blob", "mediumblob": "mediumblob", "longblob": "longblob", "json": "json", "vector": "vector",
	"geometry": "geometry", "point": "point", "linestring": "linestring", "polygon": "polygon", "multipoint": "multipoint",
	"multilinestring": "multilinestring", "multipolygon": "multipolygon",
	"geometrycollection": "geometrycollection", "geomcollection": "geomcollection",
	"uuid": "uuid", "inet4": "inet4", "inet6": "inet6",
}

// column reads the definition of a column behind its name.
func (p *parser) column(name string) columnDraft {
	c := columnDraft{Column: Column{Name: name}}
	p.dataType(&c)
	for p.attribute(&c) {
		if p.failed {
			break
		}
	}
	return c
}

// dataType reads a type with what belongs to it.
func (p *parser) dataType(c *columnDraft) {
	if p.accept("NATIONAL") {
		if p.tok.is("CHAR") || p.tok.is("CHARACTER") || p.tok.is("VARCHAR") || p.tok.is("VARCHARACTER") {
			c.Charset = "utf8mb3"
		} else {
			p.fail()
		}
	}
	word := strings.ToLower(p.tok.text)
	known := p.tok.kind == wordToken
	if c.DataType, known = dataTypes[word], known && dataTypes[word] != ""; !known {
		p.fail()
	}
	p.advance()
	switch word {
	case "serial":
		c.Unsigned = true
	case "real":
		if p.SQLMode&modeRealAsFloat != 0 {
			c.DataType = "float"
		}
	case "double":
		p.accept("PRECISION")
	case "nchar", "nvarchar":
		c.Charset = "utf8mb3"
		if word == "nchar" && p.acceptOneOf("VARYING", "VARCHAR", "VARCHARACTER") != "" {
			c.DataType = "varchar"
		}
	case "char", "character":
		if p.accept("VARYING") {
			c.DataType = "varchar"
		}
	case "long":
		switch {
		case p.accept("VARBINARY"):
			c.DataType = "mediumblob"
		case p.accept("CHAR", "VARYING"), p.accept("CHARACTER", "VARYING"), p.accept("VARCHAR"), p.accept("VARCHARACTER"):
		}
	case "json":
		if p.MariaDB { // a name for it
			c.DataType, c.Charset = "longtext", "utf8mb4"
		}
	case "vector":
		if !p.tok.isMark("(") {
			p.fail()
		}
	}
	p.typeSize(c)
	switch c.DataType {
	case "char", "varchar", "enum", "set", "tinytext", "text", "mediumtext", "longtext":
		c.text = true
	case "year":
		c.Unsigned = true
	}
}

// typeSize reads what stands in parentheses behind a type.
func (p *parser) typeSize(c *columnDraft) {
	if c.DataType == "enum" || c.DataType == "set" {
		p.labels(c)
		return
	}
	if !p.acceptMark("(") {
		return
	}
	size := p.size()
	scale, scaled := 0, p.acceptMark(",")
	if scaled {
		scale = p.size()
	}
	p.expectMark(")")
	switch c.DataType {
	case "float", "double":
		switch {
		case scaled:
			c.Fixed, c.Digits = true, scale
		case size > 24:
			c.DataType = "double"
		}
	case "time", "datetime", "timestamp", "year":
		c.Digits = size
	}
}

// size reads a small number.
func (p *parser) size() int {
	n, err := strconv.ParseUint(p.tok.text, 10, 32)
	if p.tok.kind != numberToken || err != nil {
		p.fail()
	}
	p.advance()
	return int(n)
}

// labels reads those of an ENUM or SET.
func (p *parser) labels(c *columnDraft) {
	p.expectMark("(")
	for more := true; more && !p.failed; more = p.acceptMark(",") {
		if p.tok.kind != stringToken {
			p.fail()
		}
		c.Enum = append(c.Enum, p.tok.text)
		p.advance()
	}
	p.expectMark(")")
}

// attribute reads what else is said of a column, if something is.
func (p *parser) attribute(c *columnDraft) bool {
	if p.charsetAttribute(c) {
		return true
	}
	switch p.acceptOneOf("UNSIGNED", "ZEROFILL", "SIGNED", "NOT", "NULL", "DEFAULT", "ON", "AUTO_INCREMENT", "UNIQUE", "PRIMARY", "KEY", "COMMENT",
		"COLUMN_FORMAT", "STORAGE", "VISIBLE", "INVISIBLE", "GENERATED", "AS", "VIRTUAL", "STORED", "PERSISTENT", "CONSTRAINT", "CHECK", "ENFORCED",
		"REFERENCES", "SERIAL", "COMPRESSED", "SRID") {
	case "UNSIGNED", "ZEROFILL":
		c.Unsigned = true
	case "SIGNED", "NULL", "AUTO_INCREMENT", "VISIBLE", "INVISIBLE", "VIRTUAL", "STORED", "PERSISTENT", "ENFORCED":
	case "NOT":
		if !p.accept("NULL") {
			p.expect("ENFORCED")
		}
	case "DEFAULT":
		p.defaultValue()
	case "ON":
		p.expect("UPDATE")
		p.defaultValue()
	case "UNIQUE":
		p.accept("KEY")
	case "PRIMARY":
		p.expect("KEY")
		c.primary = true
	case "KEY":
		c.primary = true
	case "COMMENT", "COLUMN_FORMAT", "STORAGE", "SRID":
		p.optionValue()
	case "GENERATED":
		p.expect("ALWAYS", "AS")
		p.parens()
	case "AS", "CHECK":
		p.parens()
	case "CONSTRAINT":
		if !p.tok.is("CHECK") {
			p.name()
		}
		p.expect("CHECK")
		p.parens()
	case "REFERENCES":
		p.references()
	case "SERIAL":
		p.expect("DEFAULT", "VALUE")
	case "COMPRESSED":
		if p.acceptMark("=") {
			p.name()
		}
	default:
		return false
	}
	return true
}

// charsetAttribute reads a charset, if one comes next.
func (p *parser) charsetAttribute(c *columnDraft) bool {
	var charset string
	switch {
	case p.accept("CHARACTER", "SET"), p.accept("CHAR", "SET"), p.accept("CHARSET"):
		charset = p.charsetName()
	case p.accept("COLLATE"):
		if !c.text { // that of a JSON or of a binary string
			p.name()
			return true
		}
		charset = p.collationName()
	case p.accept("ASCII"):
		charset = "latin1"
	case p.accept("UNICODE"):
		charset = "ucs2"
	case p.accept("BYTE"):
		charset = "binary"
	case p.accept("BINARY"): // the charset stays
		return true
	default:
		return false
	}
	if !c.text || charset == UnknownCharset {
		p.fail()
	}
	c.Charset = charset
	return true
}

// defaultValue steps over a value: a literal, a name, a call, or an expression in parentheses.
func (p *parser) defaultValue() {
	if !p.acceptMark("-") {
		p.acceptMark("+")
	}
	switch {
	case p.tok.isMark("("):
		p.parens()
	case p.tok.kind == numberToken:
		p.advance()
	case p.tok.kind == wordToken && p.peek().kind != stringToken:
		p.advance()
		if p.tok.isMark("(") {
			p.parens()
		}
	default:
		if p.tok.kind == wordToken { // _utf8 'x', b'1', DATE '2000-01-01'
			p.advance()
		}
		if p.tok.kind != stringToken {
			p.fail()
		}
		for p.tok.kind == stringToken {
			p.advance()
		}
	}
}

// references reads what a foreign key points to.
func (p *parser) references() {
	p.tableName()
	if p.tok.isMark("(") {
		p.parens()
	}
	if p.accept("MATCH") {
		p.name()
	}
	for p.accept("ON", "DELETE") || p.accept("ON", "UPDATE") {
		if !p.accept("SET", "NULL") && !p.accept("SET", "DEFAULT") && !p.accept("NO", "ACTION") && p.acceptOneOf("RESTRICT", "CASCADE") == "" {
			p.fail()
		}
	}
}

// charsetName reads the name of a charset.
func (p *parser) charsetName() string {
	if p.tok.kind != wordToken && p.tok.kind != nameToken && p.tok.kind != stringToken {
		p.fail()
	}
	charset := charset.Named(p.tok.text)
	if p.tok.is("DEFAULT") {
		charset = UnknownCharset
	}
	if charset == "" {
		p.fail()
	}
	p.advance()
	return charset
}

// collationName reads the name of a collation, and returns its charset.
func (p *parser) collationName() string {
	if p.tok.kind != wordToken && p.tok.kind != nameToken && p.tok.kind != stringToken {
		p.fail()
	}
	prefix, _, _ := strings.Cut(p.tok.text, "_")
	charset := charset.Named(prefix)
	if p.tok.is("DEFAULT") {
		charset = UnknownCharset
	}
	if charset == "" {
		p.fail()
	}
	p.advance()
	return charset
}
