// Package rowcodec decodes rows: a table map and what is known of the table's columns make a Layout, which turns the images
// of rows events into Rows. It asks no server and trusts no byte.
package rowcodec

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/charset"
	"rowhook/cdc/schema/ddl"
)

// Layout decodes the rows of one table map. It does not change once made and may be used by many.
type Layout struct {
	name   ddl.TableName
	fields []field
	packs  bool // some are COMPRESSED
	hidden int  // the last fields, which are no columns of the table: MariaDB's hashes for UNIQUE keys over long texts
}

// field says how the bytes of one column are delimited and what they become.
type field struct {
	name    string
	how     how
	kind    Kind
	skip    bool     // the value is stepped over and reported as Absent
	prefix  int      // bytes of the length in front of the value; 0 when the value has a fixed size
	size    int      // of a fixed value, in bytes
	scale   int      // digits behind the point; of a YEAR all digits
	short   bool     // of FLOAT and DOUBLE: no scale, as many digits as it takes
	digits  int      // of a DECIMAL, those before the point too
	packed  bool     // the value is that of a COMPRESSED column
	pad     int      // a shorter value is padded with zeros to this size
	labels  []string // of ENUM and SET
	text    charset.Decoder
	charset string          // of how asText and asUTF8
	client  *charset.Client // sees the text; nil: it is as it is
}

// how names the encodings of a value.
type how uint8

const (
	asBytes how = iota
	asUTF8
	asText // in another charset
	asInt
	asUint
	asBit // a number in big-endian order
	asFloat
	asDouble
	asDecimal
	asDate
	asTime
	asOldTime
	asDatetime
	asOldDatetime
	asTimestamp
	asOldTimestamp
	asYear
	asEnum
	asSet
	asJSON // MySQL's binary form
	asUUID
	asINET4
	asINET6
)

// NewLayout joins a table map with what is known of its columns. What the map says itself (signedness, charsets) is
// preferred, for it was true when the rows were logged. Columns that cannot be those of the map are an error: rows must
// never be shown under wrong names.
func NewLayout(m *TableMap, columns []ddl.Column) (*Layout, error) {
	l := &Layout{name: m.name, fields: make([]field, len(columns))}
	switch more := len(m.types) - len(columns); more {
	case 0:
	case m.Hashes:
		l.hidden = more
	default:
		return nil, fmt.Errorf("%s was logged with %d columns, its schema has %d", m.name, len(m.types), len(columns))
	}
	for i, c := range columns {
		if m.names != nil && m.names[i] != c.Name {
			return nil, fmt.Errorf("%s was logged with column %d named %s, its schema says %s", m.name, i+1, m.names[i], c.Name)
		}
		f, err := m.newField(i, c)
		if err != nil {
			return nil, fmt.Errorf("column %s of %s: %w", c.Name, m.name, err)
		}
		l.fields[i] = f
		l.packs = l.packs || f.packed
	}
	for i := range l.hidden {
		if m.types[len(columns)+i] != mysql.MYSQL_TYPE_LONGLONG {
			return nil, fmt.Errorf("%s was logged with %d columns, its schema has %d", m.name, len(m.types), len(columns))
		}
		l.fields = append(l.fields, field{name: hashColumn, size: integerSize(mysql.MYSQL_TYPE_LONGLONG), skip: true})
	}
	return l, nil
}

// Only is the layout with all other columns stepped over: they are reported as Absent. Tables of which two columns
// matter (wp_options) are read so.
func (l *Layout) Only(names ...string) *Layout {
	o := &Layout{name: l.name, fields: slices.Clone(l.fields), packs: l.packs, hidden: l.hidden}
	for i := range o.fields {
		o.fields[i].skip = !slices.Contains(names, o.fields[i].name)
	}
	return o
}

// Share makes it hold what it has in common with another one only once, and says whether that is all but the table's name. There may
// be thousands of tables, and they differ in little else.
func (l *Layout) Share(o *Layout) bool {
	if l.packs != o.packs || l.hidden != o.hidden || !reflect.DeepEqual(l.fields, o.fields) {
		return false
	}
	l.fields = o.fields
	return true
}

// SeenBy is the layout with texts as a client sees them.
func (l *Layout) SeenBy(c *charset.Client) *Layout {
	if c == nil {
		return l
	}
	s := &Layout{name: l.name, fields: slices.Clone(l.fields), packs: l.packs, hidden: l.hidden}
	for i := range s.fields {
		f := &s.fields[i]
		switch {
		case (f.how == asText || f.how == asUTF8) && c.Shares(f.charset):
			f.how, f.text = asText, c
		case f.kind == Text || f.kind == JSON:
			f.client = c
		}
	}
	return s
}

// newField finds out how column i is read.
func (m *TableMap) newField(i int, c ddl.Column) (field, error) {
	t, meta := m.realType(i), int(m.meta[i])
	if !fits(t, c.DataType) {
		return field{}, fmt.Errorf("it was logged as type %d, which is no %s", t, c.DataType)
	}
	f := field{name: c.Name, scale: c.Digits}
	switch t {
	case mysql.MYSQL_TYPE_TINY, mysql.MYSQL_TYPE_SHORT, mysql.MYSQL_TYPE_INT24, mysql.MYSQL_TYPE_LONG,
		mysql.MYSQL_TYPE_LONGLONG:
		f.how, f.kind, f.size = asInt, Int, integerSize(t)
		if m.isUnsigned(i, c) {
			f.how = asUint
		}
	case mysql.MYSQL_TYPE_FLOAT:
		f.how, f.kind, f.size, f.short = asFloat, Float, 4, !c.Fixed
	case mysql.MYSQL_TYPE_DOUBLE:
		f.how, f.kind, f.size, f.short = asDouble, Float, 8, !c.Fixed
	case mysql.MYSQL_TYPE_NEWDECIMAL:
		f.how, f.kind, f.digits, f.scale = asDecimal, Decimal, meta>>8, meta&0xff
		if f.digits < 1 || f.digits > maxDecimalDigits || f.scale > f.digits {
			return f, fmt.Errorf("DECIMAL(%d,%d) does not exist", f.digits, f.scale)
		}
		f.size = decimalSize(f.digits, f.scale)
	case mysql.MYSQL_TYPE_BIT:
		f.how, f.kind, f.size = asBit, Int, meta>>8+bitmapSize(meta&0xff)
		if f.size < 1 || f.size > maxBitSize {
			return f, fmt.Errorf("a BIT of %d bytes does not exist", f.size)
		}
	case mysql.MYSQL_TYPE_ENUM, mysql.MYSQL_TYPE_SET:
		return m.newLabelled(i, c, f)
	case mysql.MYSQL_TYPE_JSON:
		f.how, f.kind, f.prefix = asJSON, JSON, meta
		return f, f.checkPrefix()
	case mysql.MYSQL_TYPE_GEOMETRY, mysql.MYSQL_TYPE_VECTOR:
		f.how, f.kind, f.prefix = asBytes, Binary, meta
		return f, f.checkPrefix()
	default:
		if isText(t) {
			return m.newText(i, c, f)
		}
		return newTemporal(t, meta, f)
	}
	return f, nil
}

// newText is the field of a CHAR, VARCHAR or TEXT, or of their binary kin.
func (m *TableMap) newText(i int, c ddl.Column, f field) (field, error) {
	t, meta := m.types[i], int(m.meta[i])
	length := meta
	f.prefix = 1
	f.packed = t == typeVarcharCompressed || t == typeBlobCompressed
	switch t {
	case mysql.MYSQL_TYPE_STRING:
		length = charLength(meta)
	case mysql.MYSQL_TYPE_VARCHAR, mysql.MYSQL_TYPE_VAR_STRING, typeVarcharCompressed:
	default:
		length, f.prefix = 0, meta
	}
	if length > 255 {
		f.prefix = 2
	}
	name := c.Charset
	if m.Collations != nil {
		if name = charset.OfCollation(m.Collations[i]); name == "" {
			return f, &UndecodableError{what: fmt.Sprintf("text of collation %d", m.Collations[i]), to: "CHARACTER SET utf8mb4"}
		}
	}
	f.kind, f.charset = Text, name
	switch name {
	case "", "binary":
		f.how, f.kind = asBytes, Binary
		if t == mysql.MYSQL_TYPE_STRING { // trailing zeros are not logged
			f.pad = length
		}
		if as, ok := shownAs(c.DataType, length); ok {
			f.how, f.kind, f.pad = as, Text, 0
		}
	case "utf8mb4", "utf8mb3", "utf8", "ascii":
		f.how = asUTF8
	default:
		f.how = asText
		var err error
		if f.text, err = newTextDecoder(name); err != nil {
			return f, err
		}
	}
	if c.DataType == "json" && f.kind == Text {
		f.kind = JSON
	}
	return f, f.checkPrefix()
}

// newLabelled is the field of an ENUM or a SET.
func (m *TableMap) newLabelled(i int, c ddl.Column, f field) (field, error) {
	if c.Enum == nil {
		return f, errors.New("the labels of an ENUM or SET must be known")
	}
	f.kind, f.labels, f.size = Text, c.Enum, int(m.meta[i]&0xff)
	f.how = asEnum
	most := 2
	if m.realType(i) == mysql.MYSQL_TYPE_SET {
		f.how, most = asSet, 8
		if len(f.labels) > 64 {
			return f, fmt.Errorf("a SET of %d labels does not exist", len(f.labels))
		}
	}
	if f.size < 1 || f.size > most {
		return f, fmt.Errorf("an ENUM or SET of %d bytes does not exist", f.size)
	}
	return f, nil
}

// charLength is the length in bytes of a CHAR. Lengths above 255 hide their upper bits, inverted, in the type byte.
func charLength(meta int) int {
	if meta < 256 { // before MySQL 5.0, and nothing but a length
		return meta
	}
	return meta&0xff | meta>>4&0x300 ^ 0x300
}

func (f *field) checkPrefix() error {
	if f.prefix < 1 || f.prefix > 4 {
		return fmt.Errorf("a length of %d bytes does not exist", f.prefix)
	}
	return nil
}

func (m *TableMap) isUnsigned(i int, c ddl.Column) bool {
	if m.unsigned != nil {
		return m.unsigned[i]
	}
	return c.Unsigned
}

func integerSize(t byte) int {
	switch t {
	case mysql.MYSQL_TYPE_TINY:
		return 1
	case mysql.MYSQL_TYPE_SHORT:
		return 2
	case mysql.MYSQL_TYPE_INT24:
		return 3
	case mysql.MYSQL_TYPE_LONG:
		return 4
	}
	return 8
}

// fits says whether a column whose data_type is known can have been logged as a type. Types that only one server has
// (uuid, inet6) travel as strings.
func fits(t byte, dataType string) bool {
	oneOf := func(types ...byte) bool { return slices.Contains(types, t) }
	switch dataType {
	case "":
		return true
	case "tinyint", "bool", "boolean":
		return oneOf(mysql.MYSQL_TYPE_TINY)
	case "smallint":
		return oneOf(mysql.MYSQL_TYPE_SHORT)
	case "mediumint":
		return oneOf(mysql.MYSQL_TYPE_INT24)
	case "int", "integer":
		return oneOf(mysql.MYSQL_TYPE_LONG)
	case "bigint":
		return oneOf(mysql.MYSQL_TYPE_LONGLONG)
	case "float":
		return oneOf(mysql.MYSQL_TYPE_FLOAT)
	case "double", "real":
		return oneOf(mysql.MYSQL_TYPE_DOUBLE)
	case "decimal", "numeric":
		return oneOf(mysql.MYSQL_TYPE_NEWDECIMAL)
	case "bit":
		return oneOf(mysql.MYSQL_TYPE_BIT)
	case "year":
		return oneOf(mysql.MYSQL_TYPE_YEAR)
	case "date":
		return oneOf(mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_NEWDATE)
	case "time":
		return oneOf(mysql.MYSQL_TYPE_TIME, mysql.MYSQL_TYPE_TIME2)
	case "datetime":
		return oneOf(mysql.MYSQL_TYPE_DATETIME, mysql.MYSQL_TYPE_DATETIME2)
	case "timestamp":
		return oneOf(mysql.MYSQL_TYPE_TIMESTAMP, mysql.MYSQL_TYPE_TIMESTAMP2)
	case "enum":
		return oneOf(mysql.MYSQL_TYPE_ENUM)
	case "set":
		return oneOf(mysql.MYSQL_TYPE_SET)
	case "json":
		return oneOf(mysql.MYSQL_TYPE_JSON, mysql.MYSQL_TYPE_BLOB, typeBlobCompressed)
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
		"geometrycollection", "geomcollection":
		return oneOf(mysql.MYSQL_TYPE_GEOMETRY)
	}
	return fitsText(t, dataType)
}

// fitsText is fits for strings and for the types of one server that travel as strings.
func fitsText(t byte, dataType string) bool {
	switch dataType {
	case "char", "binary":
		return t == mysql.MYSQL_TYPE_STRING || t == mysql.MYSQL_TYPE_VAR_STRING
	case "varchar", "varbinary":
		return t == mysql.MYSQL_TYPE_VARCHAR || t == mysql.MYSQL_TYPE_VAR_STRING || t == typeVarcharCompressed
	case "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob":
		return isText(t) && t != mysql.MYSQL_TYPE_STRING && t != mysql.MYSQL_TYPE_VARCHAR && t != mysql.MYSQL_TYPE_VAR_STRING
	case "vector":
		return t == mysql.MYSQL_TYPE_VECTOR || t == mysql.MYSQL_TYPE_VARCHAR
	}
	return isText(t)
}

// newTextDecoder is the decoder of a charset.
func newTextDecoder(name string) (charset.Decoder, error) {
	d, err := charset.NewDecoder(name)
	if err != nil {
		return nil, &UndecodableError{what: err.Error(), to: "CHARACTER SET utf8mb4"}
	}
	return d, nil
}
