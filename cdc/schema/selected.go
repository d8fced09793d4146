package schema

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"rowhook/cdc/charset"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/wire"
)

// Selected is how a column of a table is selected so that its text is the one that a Row from the log has.
type Selected struct {
	Name string
	SQL  string // what stands in the SELECT
	Kind rowcodec.Kind
	// Size is SQL for about how long the text is in a payload, in bytes: that of UTF-8, or of base64. Empty for columns
	// that hold little. Long says that it may be more than 64 KiB.
	Size string
	Long bool

	client       *charset.Client // sees the text; nil: it is as it is
	stored       bool            // the text comes as it is stored, in the charset of the client's connection
	decimal, bit bool
}

// SeenBy is the column with its text as a client sees it.
func (s Selected) SeenBy(c *charset.Client) Selected {
	s.client = c
	return s
}

// SelectAll finds how all columns of a table are selected, in table order: those that the log has, invisible ones among
// them, which SELECT * leaves out. Texts are as a client sees them.
// It asks on conn. The error of a table that does not exist wraps the server's.
func SelectAll(ctx context.Context, conn *sql.Conn, mariaDB bool, name ddl.TableName, client *charset.Client) ([]Selected, error) {
	d, err := Server{MariaDB: mariaDB, User: "rowhook"}.defineOn(ctx, conn, name)
	if err != nil {
		return nil, err
	}
	columns := make([]Selected, len(d.Columns))
	for i, c := range d.Columns {
		columns[i] = selected(c).SeenBy(client)
		if s := &columns[i]; s.Kind == rowcodec.Text && c.Enum == nil && client.Shares(c.Charset) {
			if s.Size != "" {
				s.Size = "OCTET_LENGTH(" + s.SQL + ")"
			}
			s.SQL, s.stored = "CAST("+s.SQL+" AS BINARY)", true
		}
	}
	return columns, nil
}

func selected(c ddl.Column) Selected {
	quoted := "`" + strings.ReplaceAll(c.Name, "`", "``") + "`"
	s := Selected{Name: c.Name, SQL: quoted, Kind: rowcodec.Text}
	switch c.DataType {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		s.Kind = rowcodec.Int
	case "bit":
		s.Kind, s.bit = rowcodec.Int, true
	case "decimal":
		s.Kind, s.decimal = rowcodec.Decimal, true
	case "float", "double": // as text: the driver would make its own of the number
		s.SQL, s.Kind, s.decimal = "CAST("+quoted+" AS CHAR)", rowcodec.Float, true
	case "year": // likewise
		s.SQL = "CAST(" + quoted + " AS CHAR)"
	case "json":
		s.Kind, s.Size, s.Long = rowcodec.JSON, "OCTET_LENGTH("+quoted+")", true
	case "binary", "varbinary", "tinyblob":
		s.Kind = rowcodec.Binary
	case "blob", "mediumblob", "longblob", "vector",
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		s.Kind, s.Size, s.Long = rowcodec.Binary, "(OCTET_LENGTH("+quoted+") + 2) DIV 3 * 4", c.DataType != "blob"
	case "text", "mediumtext", "longtext":
		s.Size, s.Long = textSizeSQL(quoted, c.Charset), c.DataType != "text"
	}
	return s
}

// textSizeSQL is SQL for how many bytes a text has in UTF-8. Where the server cannot say, for that is more than
// max_allowed_packet, it is more than anything.
func textSizeSQL(quoted, charset string) string {
	switch charset {
	case "utf8mb4", "utf8mb3", "utf8", "ascii":
		return "OCTET_LENGTH(" + quoted + ")"
	}
	return "IF(" + quoted + " IS NULL, 0, COALESCE(OCTET_LENGTH(CONVERT(" + quoted + " USING utf8mb4)), 4294967295))"
}

// Append adds the text of a value that was selected.
func (s Selected) Append(text, value []byte) []byte {
	switch {
	case s.bit:
		return strconv.AppendUint(text, wire.BigEndian(value), 10)
	case s.decimal: // the zeros of a ZEROFILL are not logged
		for len(value) > 1 && value[0] == '0' && value[1] >= '0' && value[1] <= '9' {
			value = value[1:]
		}
	}
	switch start := len(text); {
	case s.stored:
		return s.client.Append(text, value)
	case s.Kind == rowcodec.Text || s.Kind == rowcodec.JSON:
		return s.client.Reread(append(text, value...), start)
	}
	return append(text, value...)
}
