package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// upgrade brings the file of an older rowhook up to date, in one transaction. What it did not count begins at zero.
func upgrade(c *sqlite3.Conn, found int) error {
	err := transact(c, func() error {
		if found < 4 {
			if err := upgradeTo4(c, found); err != nil {
				return err
			}
		}
		added := addedIn6
		if found < 5 {
			added = addedIn5 + added
		}
		return c.Exec(added + fmt.Sprintf(`UPDATE meta SET value = '%d' WHERE key = '%s'`, version, schemaKey))
	})
	if err != nil {
		return fmt.Errorf("bringing the file up to date, from schema %d to %d: %w", found, version, err)
	}
	if found < 4 {
		return vacuumSmall(c)
	}
	return nil
}

// upgradeTo4 is what version 4 needs.
//
// What is undelivered goes to the backlog, under endpoint 0 and in its order: where it goes is for Route to say. Those that
// older versions called waiting only because they had no room for them in memory are fresh again. Records get the owners
// that the first letters of their keys stood for; the keys stay as they are.
func upgradeTo4(c *sqlite3.Conn, found int) error {
	sql := ""
	if found < 2 {
		sql += `CREATE TABLE retried(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL);`
	}
	if found < 3 {
		sql += piece
	} else {
		sql += `DROP TRIGGER open_changed; DROP TRIGGER open_deleted;`
	}
	if err := c.Exec(sql + `DROP VIEW deliveries;` + addedIn4); err != nil {
		return err
	}
	if err := moveRecords(c); err != nil {
		return err
	}
	return c.Exec(toVersion4 + view)
}

const toVersion4 = `
DROP TABLE open;
ALTER TABLE state ADD COLUMN uptime INTEGER NOT NULL DEFAULT 0;
ALTER TABLE failed ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE retried ADD COLUMN uptime INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN endpoint INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN number INTEGER NOT NULL DEFAULT 0;

INSERT INTO backlog(endpoint, number, seq, since)
  SELECT 0, d.seq, d.seq, 0 FROM delivery d LEFT JOIN failed f ON f.seq = d.seq WHERE f.state = 1 OR f.state IS NULL AND NOT (
    d.seq <= (SELECT low FROM state) OR d.seq <= coalesce((SELECT last FROM done WHERE first <= d.seq ORDER BY first DESC LIMIT 1), 0));
DELETE FROM failed WHERE state = 1 AND attempts = 0 AND seq NOT IN (SELECT seq FROM retried) AND seq NOT IN (SELECT seq FROM attempt);
UPDATE delivery SET number = seq WHERE seq IN (SELECT seq FROM backlog);
UPDATE state SET low = last;
DELETE FROM done;
UPDATE endpoint SET last = (SELECT last FROM state), (count, bytes, lagging) =
  (SELECT count(*), coalesce(sum(d.len), 0), count(*) FROM backlog b JOIN delivery d ON d.seq = b.seq);
INSERT INTO counter(rule, fresh, waiting, delivered, dead, held) SELECT rule, sum(s = 0), sum(s = 1), sum(s = 2), sum(s = 3), sum(s = 4) FROM (SELECT l.rule, ` + state + ` AS s
  FROM delivery d JOIN label l ON l.id = d.label LEFT JOIN failed f ON f.seq = d.seq) GROUP BY rule;
`

// moveRecords takes the records over from the table that held them before, the large ones whole.
func moveRecords(c *sqlite3.Conn) error {
	err := c.Exec(`
INSERT INTO record(ord, owner, key, data) SELECT ord, CASE
  WHEN key LIKE 'backfill/%' THEN 'backfill' WHEN substr(key, 1, 1) IN ('e', 'f', 't', 'p') THEN 'events'
  WHEN substr(key, 1, 1) = 's' THEN 'schema' ELSE '' END, key, data FROM open ORDER BY ord`)
	if err != nil {
		return err
	}
	var large []int64
	err = each(c, `SELECT DISTINCT -of FROM piece WHERE of < 0`, nil, func(s *sqlite3.Stmt) (bool, error) {
		large = append(large, s.ColumnInt64(0))
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, ord := range large {
		data, err := readPieces(c, -ord)
		if err != nil {
			return err
		}
		done := func(*sqlite3.Stmt) (bool, error) { return true, nil }
		if err := each(c, `UPDATE record SET data = ? WHERE ord = ?`, []any{data, ord}, done); err != nil {
			return err
		}
	}
	return c.Exec(`DELETE FROM piece WHERE of < 0`)
}

// smallFile is up to how many bytes the file of an older rowhook is written anew, so that from then on it can shrink.
const smallFile = 64 << 20

func vacuumSmall(c *sqlite3.Conn) error {
	size, err := number(c, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`)
	if err != nil || size > smallFile {
		return err
	}
	return c.Exec(`PRAGMA auto_vacuum = INCREMENTAL; VACUUM`)
}
