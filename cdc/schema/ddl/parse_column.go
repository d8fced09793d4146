package ddl

import (
	"strconv"
	"strings"

	"rowhook/cdc/charset"
	"rowhook/sqltext"
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
		if p.Failed {
			break
		}
	}
	return c
}

// dataType reads a type with what belongs to it.
func (p *parser) dataType(c *columnDraft) {
	if p.Accept("NATIONAL") {
		if p.Tok.Is("CHAR") || p.Tok.Is("CHARACTER") || p.Tok.Is("VARCHAR") || p.Tok.Is("VARCHARACTER") {
			c.Charset = "utf8mb3"
		} else {
			p.Fail()
		}
	}
	word := strings.ToLower(p.Tok.Text())
	known := p.Tok.Kind == sqltext.Word
	if c.DataType, known = dataTypes[word], known && dataTypes[word] != ""; !known {
		p.Fail()
	}
	p.Advance()
	switch word {
	case "serial":
		c.Unsigned = true
	case "real":
		if p.SQLMode&sqltext.ModeRealAsFloat != 0 {
			c.DataType = "float"
		}
	case "double":
		p.Accept("PRECISION")
	case "nchar", "nvarchar":
		c.Charset = "utf8mb3"
		if word == "nchar" && p.AcceptOneOf("VARYING", "VARCHAR", "VARCHARACTER") != "" {
			c.DataType = "varchar"
		}
	case "char", "character":
		if p.Accept("VARYING") {
			c.DataType = "varchar"
		}
	case "long":
		switch {
		case p.Accept("VARBINARY"):
			c.DataType = "mediumblob"
		case p.Accept("CHAR", "VARYING"), p.Accept("CHARACTER", "VARYING"), p.Accept("VARCHAR"), p.Accept("VARCHARACTER"):
		}
	case "json":
		if p.MariaDB { // a name for it
			c.DataType, c.Charset = "longtext", "utf8mb4"
		}
	case "vector":
		if !p.Tok.IsMark("(") {
			p.Fail()
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
	if !p.AcceptMark("(") {
		return
	}
	size := p.size()
	scale, scaled := 0, p.AcceptMark(",")
	if scaled {
		scale = p.size()
	}
	p.ExpectMark(")")
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
	n, err := strconv.ParseUint(p.Tok.Text(), 10, 32)
	if p.Tok.Kind != sqltext.Number || err != nil {
		p.Fail()
	}
	p.Advance()
	return int(n)
}

// labels reads those of an ENUM or SET.
func (p *parser) labels(c *columnDraft) {
	p.ExpectMark("(")
	for more := true; more && !p.Failed; more = p.AcceptMark(",") {
		if p.Tok.Kind != sqltext.String {
			p.Fail()
		}
		c.Enum = append(c.Enum, p.Tok.Text())
		p.Advance()
	}
	p.ExpectMark(")")
}

// attribute reads what else is said of a column, if something is.
func (p *parser) attribute(c *columnDraft) bool {
	if p.charsetAttribute(c) {
		return true
	}
	switch p.AcceptOneOf("UNSIGNED", "ZEROFILL", "SIGNED", "NOT", "NULL", "DEFAULT", "ON", "AUTO_INCREMENT", "UNIQUE", "PRIMARY", "KEY", "COMMENT",
		"COLUMN_FORMAT", "STORAGE", "VISIBLE", "INVISIBLE", "GENERATED", "AS", "VIRTUAL", "STORED", "PERSISTENT", "CONSTRAINT", "CHECK", "ENFORCED",
		"REFERENCES", "SERIAL", "COMPRESSED", "SRID") {
	case "UNSIGNED", "ZEROFILL":
		c.Unsigned = true
	case "SIGNED", "NULL", "AUTO_INCREMENT", "VISIBLE", "INVISIBLE", "VIRTUAL", "STORED", "PERSISTENT", "ENFORCED":
	case "NOT":
		if !p.Accept("NULL") {
			p.Expect("ENFORCED")
		}
	case "DEFAULT":
		p.defaultValue()
	case "ON":
		p.Expect("UPDATE")
		p.defaultValue()
	case "UNIQUE":
		p.Accept("KEY")
	case "PRIMARY":
		p.Expect("KEY")
		c.primary = true
	case "KEY":
		c.primary = true
	case "COMMENT", "COLUMN_FORMAT", "STORAGE", "SRID":
		p.optionValue()
	case "GENERATED":
		p.Expect("ALWAYS", "AS")
		p.Parens()
	case "AS", "CHECK":
		p.Parens()
	case "CONSTRAINT":
		if !p.Tok.Is("CHECK") {
			p.Name()
		}
		p.Expect("CHECK")
		p.Parens()
	case "REFERENCES":
		p.references()
	case "SERIAL":
		p.Expect("DEFAULT", "VALUE")
	case "COMPRESSED":
		if p.AcceptMark("=") {
			p.Name()
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
	case p.Accept("CHARACTER", "SET"), p.Accept("CHAR", "SET"), p.Accept("CHARSET"):
		charset = p.charsetName()
	case p.Accept("COLLATE"):
		if !c.text { // that of a JSON or of a binary string
			p.Name()
			return true
		}
		charset = p.collationName()
	case p.Accept("ASCII"):
		charset = "latin1"
	case p.Accept("UNICODE"):
		charset = "ucs2"
	case p.Accept("BYTE"):
		charset = "binary"
	case p.Accept("BINARY"): // the charset stays
		return true
	default:
		return false
	}
	if !c.text || charset == UnknownCharset {
		p.Fail()
	}
	c.Charset = charset
	return true
}

// defaultValue steps over a value: a literal, a name, a call, or an expression in parentheses.
func (p *parser) defaultValue() {
	if !p.AcceptMark("-") {
		p.AcceptMark("+")
	}
	switch {
	case p.Tok.IsMark("("):
		p.Parens()
	case p.Tok.Kind == sqltext.Number:
		p.Advance()
	case p.Tok.Kind == sqltext.Word && p.Peek().Kind == sqltext.Number: // _binary x'00'
		p.Advance()
		p.Advance()
	case p.Tok.Kind == sqltext.Word && p.Peek().Kind != sqltext.String:
		p.Advance()
		if p.Tok.IsMark("(") {
			p.Parens()
		}
	default:
		if p.Tok.Kind == sqltext.Word { // _utf8 'x', DATE '2000-01-01'
			p.Advance()
		}
		if p.Tok.Kind != sqltext.String {
			p.Fail()
		}
		for p.Tok.Kind == sqltext.String {
			p.Advance()
		}
	}
}

// references reads what a foreign key points to.
func (p *parser) references() {
	p.tableName()
	if p.Tok.IsMark("(") {
		p.Parens()
	}
	if p.Accept("MATCH") {
		p.Name()
	}
	for p.Accept("ON", "DELETE") || p.Accept("ON", "UPDATE") {
		if !p.Accept("SET", "NULL") && !p.Accept("SET", "DEFAULT") && !p.Accept("NO", "ACTION") && p.AcceptOneOf("RESTRICT", "CASCADE") == "" {
			p.Fail()
		}
	}
}

// charsetName reads the name of a charset.
func (p *parser) charsetName() string {
	if !p.Tok.IsName() && p.Tok.Kind != sqltext.String {
		p.Fail()
	}
	charset := charset.Named(p.Tok.Text())
	if p.Tok.Is("DEFAULT") {
		charset = UnknownCharset
	}
	if charset == "" {
		p.Fail()
	}
	p.Advance()
	return charset
}

// collationName reads the name of a collation, and returns its charset.
func (p *parser) collationName() string {
	if !p.Tok.IsName() && p.Tok.Kind != sqltext.String {
		p.Fail()
	}
	prefix, _, _ := strings.Cut(p.Tok.Text(), "_")
	charset := charset.Named(prefix)
	if p.Tok.Is("DEFAULT") {
		charset = UnknownCharset
	}
	if charset == "" {
		p.Fail()
	}
	p.Advance()
	return charset
}
