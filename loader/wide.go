package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/scratch"
)

// The plugin's texts are short. A table that somebody altered may have rows of many megabytes; the driver would hold one
// several times. So of such a table, which is called wide here, a query leaves the large texts out and tells their sizes,
// and they are read in pieces afterwards, from the same snapshot, into scratch files.

const (
	// largeText is from which size on a text is read in pieces, in bytes as the table has them: more than the plugin's own
	// columns can hold.
	largeText = 64 << 10
	// textPiece is how much is read at once, in bytes.
	textPiece = 4 << 20
)

// wide is a wide table.
type wide struct {
	columns []string // that a SELECT * shows
	texts   []wideText
}

// wideText is a column that may hold a large text.
type wideText struct {
	column int
	kind   cdc.Kind
	bytes  string // SQL for its bytes, as UTF-8
}

// wideTables knows which tables are wide.
type wideTables struct {
	mu     sync.Mutex
	tables map[cdc.TableName]*wide // nil: it is not
	epoch  int                     // changes when tables may have other columns
}

// Altered says that tables may have other columns: the log has a statement that may have changed them.
func (l *Loader) Altered() {
	w := &l.wide
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.tables)
	w.epoch++
}

// all reads rows of a table, with every column; condition is what follows WHERE.
func (s *snapshot) all(ctx context.Context, table cdc.TableName, condition string) ([]record, error) {
	w, err := s.wideTable(ctx, table)
	if err != nil {
		return nil, fmt.Errorf("reading the columns of %s: %w", table, err)
	}
	if w == nil {
		return s.query(ctx, table, "SELECT * FROM "+quoted(table)+" WHERE "+condition)
	}
	records, err := s.narrow(ctx, table, w, condition)
	const unknownColumn = 1054
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == unknownColumn {
		s.loader.Altered() // it is asked again
	}
	return records, err
}

// wideTable is the table if it is wide, else nil.
func (s *snapshot) wideTable(ctx context.Context, name cdc.TableName) (*wide, error) {
	if s.loader.opts.Scratch == nil {
		return nil, nil
	}
	known := &s.loader.wide
	known.mu.Lock()
	w, ok := known.tables[name]
	epoch := known.epoch
	known.mu.Unlock()
	if ok {
		return w, nil
	}
	w, err := s.askWide(ctx, name)
	if err != nil {
		return nil, err
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if epoch == known.epoch {
		if known.tables == nil {
			known.tables = map[cdc.TableName]*wide{}
		}
		known.tables[name] = w
	}
	return w, nil
}

func (s *snapshot) askWide(ctx context.Context, name cdc.TableName) (*wide, error) {
	s.queries++
	rows, err := s.conn.QueryContext(ctx, fmt.Sprintf("SELECT COLUMN_NAME, EXTRA, COALESCE(CHARACTER_SET_NAME, ''), COALESCE(CHARACTER_MAXIMUM_LENGTH, 0) >= %d"+
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
		largeText, textList([]string{name.Schema}), textList([]string{name.Name})))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	w := &wide{}
	for rows.Next() {
		var column, extra, charset string
		var large bool
		if err := rows.Scan(&column, &extra, &charset, &large); err != nil {
			return nil, err
		}
		if strings.Contains(strings.ToUpper(extra), "INVISIBLE") {
			continue
		}
		if large {
			w.texts = append(w.texts, newWideText(len(w.columns), column, charset))
		}
		w.columns = append(w.columns, column)
	}
	if len(w.texts) == 0 {
		w = nil
	}
	return w, rows.Err()
}

// newWideText is a column of a charset, or of none. Pieces of text would be of characters, which the server must count.
func newWideText(column int, name, charset string) wideText {
	switch bytes := quote(name); charset {
	case "":
		return wideText{column, cdc.Binary, bytes}
	case "utf8mb4", "utf8mb3", "utf8", "ascii":
		return wideText{column, cdc.Text, "CAST(" + bytes + " AS BINARY)"}
	default:
		return wideText{column, cdc.Text, "CAST(CONVERT(" + bytes + " USING utf8mb4) AS BINARY)"}
	}
}

// narrow reads rows of a wide table, and then their large texts.
func (s *snapshot) narrow(ctx context.Context, table cdc.TableName, w *wide, condition string) ([]record, error) {
	columns := make([]string, len(w.columns), len(w.columns)+len(w.texts))
	for i, name := range w.columns {
		columns[i] = quote(name)
	}
	for _, t := range w.texts {
		name, size := columns[t.column], "OCTET_LENGTH("+columns[t.column]+")"
		columns = append(columns, fmt.Sprintf("IF(%s >= %d, %[1]s, 0)", size, largeText))
		columns[t.column] = fmt.Sprintf("IF(%s >= %d, NULL, %[3]s) AS %[3]s", size, largeText, name)
	}
	records, err := s.query(ctx, table, "SELECT "+strings.Join(columns, ", ")+" FROM "+quoted(table)+" WHERE "+condition)
	if err != nil {
		return nil, err
	}
	full := cdc.NewTable(table, w.columns, nil)
	for i, r := range records {
		if records[i].row, err = s.widen(ctx, w, r); err != nil {
			return nil, err
		}
		records[i].table = full
	}
	return records, nil
}

// widen is a row with its large texts, in place of their sizes.
func (s *snapshot) widen(ctx context.Context, w *wide, r record) (cdc.Row, error) {
	large := map[int]wideText{}
	for n, t := range w.texts {
		if size, _ := r.row.Int(len(w.columns) + n); size > 0 {
			large[t.column] = t
			s.bytes += int(size)
		}
	}
	if s.most > 0 && s.bytes > s.most {
		return cdc.Row{}, errTooMuch
	}
	var b cdc.RowBuilder
	for i, name := range w.columns {
		t, ok := large[i]
		if !ok {
			b.AddColumn(r.row, i)
			continue
		}
		text, err := s.text(ctx, r.table.TableName, t.bytes, r.id("id"))
		if err != nil {
			return cdc.Row{}, fmt.Errorf("reading %s of row %d of %s: %w", name, r.id("id"), r.table, err)
		}
		b.AddLarge(t.kind, text)
	}
	return b.Row(), nil
}

// text reads a text of a row in pieces; bytes is SQL for it.
func (s *snapshot) text(ctx context.Context, table cdc.TableName, bytes string, id int64) (*scratch.Value, error) {
	return s.pad.Put(func(w io.Writer) error {
		for from := 1; ; from += textPiece {
			s.queries++
			var piece []byte
			query := fmt.Sprintf("SELECT SUBSTRING(%s, %d, %d) FROM %s WHERE `id` = %d", bytes, from, textPiece, quoted(table), id)
			if err := s.conn.QueryRowContext(ctx, query).Scan(&piece); err != nil {
				return err
			}
			if piece == nil {
				return errors.New("the server does not tell it")
			}
			if _, err := w.Write(piece); err != nil || len(piece) < textPiece {
				return err
			}
		}
	})
}
