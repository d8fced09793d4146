package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

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

// shape is what is known of a table's columns: how each is selected, and which may hold a large text.
type shape struct {
	columns []cdc.Selected
	texts   []int // positions of the large ones
}

// shapes knows the tables that were read.
type shapes struct {
	mu     sync.Mutex
	tables map[cdc.TableName]*shape
	epoch  int // changes when tables may have other columns
}

// Altered says that tables may have other columns: the log has a statement that may have changed them.
func (l *Loader) Altered() {
	l.shapes.forget()
	l.shared.forget()
}

func (k *shapes) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.tables)
	k.epoch++
}

// all reads rows of a table, with every column; condition is what follows WHERE.
func (s *snapshot) all(ctx context.Context, table cdc.TableName, condition string) ([]record, error) {
	shape, err := s.shape(ctx, table)
	if err != nil {
		return nil, s.failed(ctx, table, fmt.Errorf("its columns: %w", err))
	}
	var records []record
	if !s.large || s.client != nil || len(shape.texts) == 0 { // a client needs a text as a whole
		records, err = s.whole(ctx, table, shape, condition)
	} else {
		records, err = s.narrow(ctx, table, shape, condition)
	}
	if isNoColumn(err) || isAltered(err) {
		s.shapes.forget() // it is asked again
	}
	return records, err
}

// whole reads rows with all their texts in memory.
func (s *snapshot) whole(ctx context.Context, table cdc.TableName, shape *shape, condition string) ([]record, error) {
	columns := make([]string, len(shape.columns))
	for i, c := range shape.columns {
		columns[i] = c.SQL
	}
	return s.read(ctx, table, "SELECT "+strings.Join(columns, ", ")+" FROM "+quoted(table)+" WHERE "+condition, shape.columns)
}

// shape is that of a table: as it is remembered, else as the server says.
func (s *snapshot) shape(ctx context.Context, name cdc.TableName) (*shape, error) {
	known := s.shapes
	known.mu.Lock()
	is, ok := known.tables[name]
	epoch := known.epoch
	known.mu.Unlock()
	if ok {
		return is, nil
	}
	s.queries++
	columns, err := cdc.SelectAll(ctx, s.conn.Conn, s.mariaDB, name, s.client)
	if err != nil {
		return nil, err
	}
	is = &shape{columns: columns}
	for i, c := range columns {
		if c.Bytes != "" {
			is.texts = append(is.texts, i)
		}
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if epoch == known.epoch {
		if known.tables == nil {
			known.tables = map[cdc.TableName]*shape{}
		}
		known.tables[name] = is
	}
	return is, nil
}

// narrow reads rows of a wide table, and then their large texts.
func (s *snapshot) narrow(ctx context.Context, table cdc.TableName, shape *shape, condition string) ([]record, error) {
	columns := slices.Clone(shape.columns)
	for _, i := range shape.texts {
		name, size := columns[i].SQL, "OCTET_LENGTH("+columns[i].SQL+")"
		columns = append(columns, cdc.Selected{SQL: fmt.Sprintf("IF(%s >= %d, %[1]s, 0)", size, largeText), Kind: cdc.Int})
		columns[i].SQL = fmt.Sprintf("IF(%s >= %d, NULL, %[3]s)", size, largeText, name)
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.SQL
	}
	records, err := s.read(ctx, table, "SELECT "+strings.Join(list, ", ")+" FROM "+quoted(table)+" WHERE "+condition, columns)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	names := records[0].table.Columns[:len(shape.columns)]
	full := cdc.NewTable(table, names, nil)
	for i, r := range records {
		if records[i].row, err = s.widen(ctx, shape, r); err != nil {
			return nil, err
		}
		records[i].table = full
	}
	return records, nil
}

// widen is a row with its large texts, in place of their sizes.
func (s *snapshot) widen(ctx context.Context, shape *shape, r record) (cdc.Row, error) {
	large := map[int]bool{}
	for n, i := range shape.texts {
		if size, _ := r.row.Int(len(shape.columns) + n); size > 0 {
			large[i] = true
			s.bytes += int(size)
		}
	}
	if s.most > 0 && s.bytes > s.most {
		return cdc.Row{}, errTooMuch
	}
	var b cdc.RowBuilder
	for i, c := range shape.columns {
		if !large[i] {
			b.AddColumn(r.row, i)
			continue
		}
		text, err := s.text(ctx, r.table.TableName, c.Bytes, r.id("id"))
		if err != nil {
			return cdc.Row{}, fmt.Errorf("reading %s of row %d of %s: %w", c.Name, r.id("id"), r.table, err)
		}
		b.AddLarge(c.Kind, text)
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
