package ddl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc/charset"
)

// Definition is what the columns of a table are, as far as reading its rows depends on it. It never changes. That of a
// schema is a Charset alone.
type Definition struct {
	Columns []Column `json:"columns,omitempty"`
	Key     []int    `json:"key,omitempty"`     // positions of the primary key's columns
	Charset string   `json:"charset,omitempty"` // of text columns that are added without one; UnknownCharset
	Hashes  int      `json:"hashes,omitempty"`  // MariaDB's hidden columns for UNIQUE keys over long texts, by the server's word
	// Period names the columns of MariaDB's system versioning, the start and the end; nil without.
	Period []string `json:"period,omitempty"`
}

// HiddenPeriod says whether the columns of the period are none of Columns: the table is versioned without naming them.
func (d *Definition) HiddenPeriod() bool {
	return len(d.Period) == 2 && !slices.ContainsFunc(d.Columns, func(c Column) bool { return c.Name == d.Period[1] })
}

// ByTransaction says whether the table is versioned by the ids of transactions, not by time. MariaDB logs what changes
// such a table as statements, whatever binlog_format says.
func (d *Definition) ByTransaction() bool {
	return len(d.Period) == 2 && slices.ContainsFunc(d.Columns, func(c Column) bool { return c.Name == d.Period[1] && c.DataType == "bigint" })
}

// Gone is the definition of a table that does not exist.
var Gone = &Definition{}

// Vague says whether a charset is not known.
func (d *Definition) Vague() bool { return d.Charset == UnknownCharset || d.VagueColumns() }

// VagueColumns says whether that of a column is not known, without which its values cannot be read. The table map may tell
// it.
func (d *Definition) VagueColumns() bool { return slices.ContainsFunc(d.Columns, Column.vague) }

func (c Column) vague() bool { return c.Charset == UnknownCharset && c.Enum == nil }

// Equal says whether two definitions are the same in everything.
func (d *Definition) Equal(o *Definition) bool {
	return slices.EqualFunc(d.Columns, o.Columns, Column.same) && slices.Equal(d.Key, o.Key) && d.Charset == o.Charset && d.Hashes == o.Hashes && slices.Equal(d.Period, o.Period)
}

func (c Column) same(o Column) bool {
	return c.Name == o.Name && c.DataType == o.DataType && c.Charset == o.Charset && c.Unsigned == o.Unsigned && slices.Equal(c.Enum, o.Enum) &&
		c.Fixed == o.Fixed && c.Digits == o.Digits
}

// Difference names what makes two definitions read rows in different ways, empty when nothing does. What a definition is
// vague about is no difference.
func (d *Definition) Difference(o *Definition) string {
	if len(d.Columns) != len(o.Columns) {
		return fmt.Sprintf("%d columns, not %d", len(o.Columns), len(d.Columns))
	}
	for i, c := range d.Columns {
		if other := o.Columns[i]; !c.equal(other) {
			return fmt.Sprintf("column %d is %s, not %s", i+1, other, c)
		}
	}
	switch {
	case !slices.Equal(d.Key, o.Key):
		return fmt.Sprintf("the columns of the primary key are %v, not %v", o.Key, d.Key)
	case !slices.Equal(d.Period, o.Period):
		return fmt.Sprintf("the period of its versions is %q, not %q", o.Period, d.Period)
	case d.Charset != o.Charset && d.Charset != UnknownCharset:
		return fmt.Sprintf("the default charset is %s, not %s", o.Charset, d.Charset)
	}
	return ""
}

func (c Column) String() string {
	s := c.Name + " " + c.DataType
	if c.Unsigned {
		s += " unsigned"
	}
	if c.Enum != nil {
		s += fmt.Sprintf(" %.200q", c.Enum)
	}
	if c.Charset != "" {
		s += " " + c.Charset
	}
	return s
}

// equal leaves out what a column's type makes meaningless, and what labels became for want of characters (see
// ParseColumn).
func (c Column) equal(o Column) bool {
	c, o = c.plain(), o.plain()
	sameLabels := slices.EqualFunc(c.Enum, o.Enum, func(a, b string) bool { return a == b || strings.Contains(b, "?") })
	sameCharset := c.Charset == o.Charset || c.vague() || c.Enum != nil
	return c.Name == o.Name && c.DataType == o.DataType && sameCharset && c.Unsigned == o.Unsigned && sameLabels &&
		c.Fixed == o.Fixed && c.Digits == o.Digits
}

func (c Column) plain() Column {
	switch {
	case strings.HasSuffix(c.DataType, "text"):
		c.DataType = "text"
	case strings.HasSuffix(c.DataType, "blob"):
		c.DataType = "blob"
	case c.DataType == "geomcollection":
		c.DataType = "geometrycollection"
	}
	switch c.DataType {
	case "float", "double":
		if !c.Fixed {
			c.Digits = 0
		}
	case "year":
		c.Digits %= 4 // only YEAR(2) is another one
	case "time", "datetime", "timestamp":
	default:
		c.Digits = 0
	}
	return c
}

// takesCharset says whether values of a type are text.
func takesCharset(dataType string) bool {
	switch dataType {
	case "char", "varchar", "enum", "set", "tinytext", "text", "mediumtext", "longtext":
		return true
	}
	return false
}

// Alter is the definition after an alteration. An error means that the two do not go together: one of them is not what
// the server had.
func (d *Definition) Alter(a *Alteration) (*Definition, error) {
	w := newWorkpiece(d)
	if err := w.mark(a); err != nil {
		return nil, err
	}
	if err := w.arrange(a); err != nil {
		return nil, err
	}
	n := &Definition{Charset: d.Charset, Hashes: d.Hashes, Columns: make([]Column, len(w.list))}
	if a.Charset != "" {
		n.Charset = a.Charset
	}
	for i, p := range w.list {
		var err error
		if n.Columns[i], err = p.finish(a, n.Charset); err != nil {
			return nil, fmt.Errorf("column %s: %w", p.Name, err)
		}
	}
	n.Period = w.period(d.Period)
	var err error
	n.Key, err = w.key(a, d.Key)
	return n, err
}

// finish gives a column its charset, and what follows from it.
func (p *part) finish(a *Alteration, charset string) (Column, error) {
	c := p.Column
	fresh := p.change != nil
	switch {
	case a.convert && (fresh && p.change.def.Charset != "" || charset == "binary"):
		return c, errors.New("two charsets")
	case a.convert && takesCharset(c.DataType), fresh && p.change.def.text && c.Charset == "":
		c.Charset = charset
	}
	switch {
	case c.Enum != nil && a.convert && !fresh && !labelsStay(c.Enum, p.Charset, charset):
		return c, fmt.Errorf("labels in charset %s are taken for text in charset %s", p.Charset, charset)
	case c.Enum != nil && fresh:
		if err := a.session.reach(c); err != nil {
			return c, err
		}
		return c, c.storeLabels()
	case c.Enum != nil && a.convert:
		return c, c.storeLabels()
	}
	if fresh && c.Charset == "binary" {
		c.Charset = ""
		switch c.DataType {
		case "char", "varchar":
			c.DataType = strings.Replace(c.DataType, "char", "binary", 1)
		default:
			c.DataType = strings.Replace(c.DataType, "text", "blob", 1)
		}
	}
	return c, nil
}

// labelsStay says whether a column's labels are the same when the column is converted to another charset. The servers
// do not convert them: they take their bytes for text in the new one.
func labelsStay(labels []string, from, to string) bool {
	utf8 := func(charset string) bool { return charset == "utf8mb4" || charset == "utf8mb3" }
	if utf8(from) && utf8(to) {
		return true
	}
	return extendsASCII(from) && extendsASCII(to) && charset.IsASCII([]byte(strings.Join(labels, "")))
}

// extendsASCII says whether text in ASCII has the same bytes in a charset.
func extendsASCII(charset string) bool {
	switch charset {
	case "ucs2", "utf16", "utf16le", "utf32", "swe7", "", UnknownCharset:
		return false
	}
	return true
}

// literals are the charsets of the session that ran a statement. The server converts literals from the client's to the
// connection's, and only then to a column's.
type literals struct{ client, connection string }

// reach says why the labels of a new column are perhaps not those of the statement, nil when they are.
func (s literals) reach(c Column) error {
	if c.Charset == "binary" && !extendsASCII(s.connection) { // takes the bytes as they are
		return fmt.Errorf("labels in bytes of charset %q", s.connection)
	}
	if s.client == s.connection {
		return nil
	}
	for _, label := range c.Enum {
		for _, r := range label {
			if r >= 0x80 && !s.holds(r) || r < 0x80 && s.connection == "swe7" {
				return fmt.Errorf("label %q, which came in charset %q to a connection in %q", label, s.client, s.connection)
			}
		}
	}
	return nil
}

// holds says whether a character beyond ASCII surely survives the conversion to the connection's charset.
func (s literals) holds(r rune) bool {
	switch s.connection {
	case "utf8mb4", "utf16", "utf16le", "utf32":
		return true
	case "utf8mb3", "ucs2":
		return r < 0x10000
	}
	return false
}

// storeLabels makes of the labels of a statement what the server keeps.
func (c *Column) storeLabels() error {
	labels := make([]string, len(c.Enum))
	for i, label := range c.Enum {
		labels[i] = label
		if c.Charset != "binary" {
			labels[i] = strings.TrimRight(label, " ")
		}
		for _, r := range label {
			switch {
			case r < 0x80, c.Charset == "utf8mb4":
			case r < 0x10000 && c.Charset == "utf8mb3":
			default:
				return fmt.Errorf("label %q in charset %s", label, c.Charset)
			}
		}
	}
	c.Enum = labels
	return nil
}
