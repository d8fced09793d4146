package relay

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"

	"rowhook/regular"
)

// Installed is what there is of the relay at a site.
type Installed struct {
	Engine  string   // of the table, empty when there is none, or none that may be seen
	Hidden  string   // the table as GRANT names it, where nobody says whether it is there: it may not be read
	Misses  []string // columns that the table should have
	Relayed *Relayed // by what the file says in the site's options; nil when it says nothing
}

// Ask asks the database of a site.
func Ask(ctx context.Context, db *sql.DB, schema, prefix string) (is Installed, err error) {
	err = db.QueryRowContext(ctx, "SELECT COALESCE(engine, '') FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", schema, prefix+Name).Scan(&is.Engine)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return is, fmt.Errorf("asking for the relay's table: %w", err)
	}
	if is.Engine != "" {
		is.Misses, err = misses(ctx, db, schema, prefix)
	} else {
		is.Hidden, err = hidden(ctx, db, quote(schema)+"."+quote(prefix+Name))
	}
	if err != nil {
		return is, err
	}
	var value string
	const longest = 256 << 10
	query := fmt.Sprintf("SELECT LEFT(option_value, %d) FROM %s.%s WHERE option_name = ?", longest, quote(schema), quote(prefix+"options"))
	switch err := db.QueryRowContext(ctx, query, Name).Scan(&value); {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return is, fmt.Errorf("asking what is relayed: %w", err)
	default:
		is.Relayed, _ = parseOption(value)
	}
	return is, nil
}

// hidden is a table that may not be read, if it is there; empty where the server says that it is not: it does so only to those who may.
func hidden(ctx context.Context, db *sql.DB, table string) (string, error) {
	const (
		noSuchTable = 1146 // ER_NO_SUCH_TABLE
		denied      = 1142 // ER_TABLEACCESS_DENIED_ERROR
	)
	var none int
	err := db.QueryRowContext(ctx, "SELECT 1 FROM "+table+" LIMIT 0").Scan(&none)
	says, _ := errors.AsType[*mysql.MySQLError](err)
	switch {
	case errors.Is(err, sql.ErrNoRows), says != nil && says.Number == noSuchTable:
		return "", nil
	case says != nil && says.Number == denied:
		return table, nil
	}
	return "", fmt.Errorf("asking for the relay's table: %w", err)
}

// misses are the columns that a table lacks.
func misses(ctx context.Context, db *sql.DB, schema, prefix string) (names []string, err error) {
	for _, column := range columns() {
		var n int
		err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND column_name = ?",
			schema, prefix+Name, column).Scan(&n)
		if err != nil {
			return nil, fmt.Errorf("asking for the columns of the relay's table: %w", err)
		}
		if n == 0 {
			names = append(names, column)
		}
	}
	return names, nil
}

// Path is where the file belongs in WordPress' folder.
func Path(root string) string { return filepath.Join(root, "wp-content", "mu-plugins", FileName) }

// ErrForeign says that a file in the relay's place is another one, or its beginning.
var ErrForeign = errors.New("is no file that rowhook relay wrote")

// ReadFile says what the file in WordPress' folder relays, nil when there is none.
func ReadFile(root string) (*Relayed, error) {
	f, err := regular.Open(Path(root))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("reading the relay: %w", err)
	}
	defer f.Close()
	const longest = 1 << 20
	text, err := io.ReadAll(io.LimitReader(f, longest))
	if err != nil {
		return nil, fmt.Errorf("reading the relay: %w", err)
	}
	r, ok := parseFile(text)
	if !ok {
		return nil, fmt.Errorf("%s %w", Path(root), ErrForeign)
	}
	return r, nil
}

// State says in a line how the relay stands where rules want hooks, and what to do when it does not serve them; ok when it does.
func (is Installed) State(wanted []string) (says, fix string, ok bool) {
	switch {
	case is.Hidden != "":
		return "its table is not there, or may not be read, so rules for hooks get nothing",
			"GRANT SELECT ON " + is.Hidden + " TO rowhook's user; then rowhook check says whether the table is there", false
	case is.Engine == "":
		return "its table is not there, so rules for hooks get nothing", "rowhook relay --sql  prints what makes it; type that as a user who may create tables there", false
	case len(is.Misses) > 0:
		return "its table has no column " + strings.Join(is.Misses, ", "), "drop that table, and type what  rowhook relay --sql  prints", false
	case is.Relayed == nil:
		return fmt.Sprintf("its table is there (%s), but no page was made with its file yet", is.Engine),
			"rowhook relay > " + FileName + "  and put that file into wp-content/mu-plugins; then open any page of the site", false
	}
	says = fmt.Sprintf("its table is there (%s), and its file relays %s; a page was last made with it on %s", is.Engine, hooksText(is.Relayed.Hooks), is.Relayed.Seen)
	again := "rowhook relay > " + FileName + "  and put that file into wp-content/mu-plugins in place of the old one"
	if lacks := is.Relayed.Lacks(wanted); len(lacks) > 0 {
		return says + "; rules want also " + hooksText(lacks), again, false
	}
	if is.Relayed.Version != Version {
		return fmt.Sprintf("%s; it is of version %d, and this is %d", says, is.Relayed.Version, Version), again, false
	}
	return says + "; rules want " + hooksText(wanted), "", true
}

// hooksText lists hooks for people, not all when they are many.
func hooksText(hooks []string) string {
	const shown = 100
	switch n := len(hooks); {
	case n == 0:
		return "nothing"
	case n > shown:
		return fmt.Sprintf("%s and %d more", strings.Join(hooks[:shown], ", "), n-shown)
	}
	return strings.Join(hooks, ", ")
}
