package sqlite

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/ncruces/go-sqlite3"
)

// version is the layout of the file. A file of an older rowhook is brought up to date, one of a newer is refused, not
// guessed at.
const version = 3

// schemaKey is the setting that holds the version.
const schemaKey = "schema"

// schema is the layout. It is made for few bytes and few pages a delivery, which is what an outbox costs: the payloads of
// a commit are one blob, a delivery is a small row that points into it, and one that was accepted at the first try leaves
// nothing but a moved low-water mark. The numbers in failed.state are those of outbox.State. Times are microseconds since
// 1970, UTC; 0 is none.
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The position, the low-water mark (every delivery up to it is settled) and the last sequence number given.
CREATE TABLE state(id INTEGER PRIMARY KEY CHECK (id = 1), checkpoint BLOB, low INTEGER NOT NULL, last INTEGER NOT NULL);

-- Settled deliveries beyond the low-water mark, as runs.
CREATE TABLE done(first INTEGER PRIMARY KEY, last INTEGER NOT NULL);

-- Events that are not deliveries yet, in order.
CREATE TABLE open(ord INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, data BLOB NOT NULL);

-- What deliveries have in common.
CREATE TABLE label(id INTEGER PRIMARY KEY, rule TEXT NOT NULL, site TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL);

-- The payloads of one commit, one behind the other, from the delivery with that number on.
CREATE TABLE batch(first INTEGER PRIMARY KEY, stored INTEGER NOT NULL, body BLOB NOT NULL);

CREATE TABLE delivery(
  seq INTEGER PRIMARY KEY, batch INTEGER NOT NULL, label INTEGER NOT NULL, id BLOB NOT NULL, keys TEXT NOT NULL,
  gone INTEGER NOT NULL, as_of INTEGER NOT NULL, created INTEGER NOT NULL, off INTEGER NOT NULL, len INTEGER NOT NULL);

-- Deliveries that were not accepted: 1 waiting, 3 dead, 4 held. They count as settled for the marks.
CREATE TABLE failed(seq INTEGER PRIMARY KEY, state INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL);
CREATE INDEX failed_due ON failed(due) WHERE state = 1;

-- Attempts of deliveries that failed at least once. N is how many attempts were used up; latency is in microseconds.
CREATE TABLE attempt(
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, latency INTEGER NOT NULL,
  status INTEGER NOT NULL, error TEXT NOT NULL, response TEXT NOT NULL);
CREATE INDEX attempt_seq ON attempt(seq);
` + retried + piece + view

// retried came with version 2.
const retried = `
-- Deliveries that a person had sent again, and when: they are outside of the order.
CREATE TABLE retried(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL);
`

// piece came with version 3.
const piece = `
-- Large payloads, by the number of their delivery, and large open events, by -ord. Each ends with a byte that is not its own.
CREATE TABLE piece(of INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(of, n));

-- The pieces of an open event, whose data is then empty, go with it.
CREATE TRIGGER open_changed AFTER UPDATE ON open WHEN length(old.data) = 0 BEGIN DELETE FROM piece WHERE of = -old.ord; END;
CREATE TRIGGER open_deleted AFTER DELETE ON open WHEN length(old.data) = 0 BEGIN DELETE FROM piece WHERE of = -old.ord; END;
`

// The view must be plain enough for the sqlite3 of old distributions: one that cannot read it reads nothing of the file.
const view = `
-- For people: sqlite3 outbox.db 'SELECT * FROM deliveries'
CREATE VIEW deliveries AS
SELECT d.seq, lower(hex(d.id)) AS id, l.rule, l.site, l.kind, l.action,
  CASE f.state WHEN 1 THEN 'waiting' WHEN 3 THEN 'dead' WHEN 4 THEN 'held'
    ELSE CASE WHEN ` + settled + ` THEN 'delivered' ELSE 'fresh' END END AS state,
  ` + attempts + ` AS attempts,
  datetime(d.created / 1000000, 'unixepoch') AS created,
  datetime(nullif(f.due, 0) / 1000000, 'unixepoch') AS due,
  datetime((SELECT at FROM retried WHERE seq = d.seq) / 1000000, 'unixepoch') AS retried,
  a.status, a.error, d.keys, d.gone,
  CASE WHEN d.off >= 0 THEN CAST(substr(b.body, d.off + 1, d.len) AS TEXT) ELSE
    (SELECT group_concat(text, '') FROM
      (SELECT CAST(substr(body, 1, length(body) - 1) AS TEXT) AS text FROM piece WHERE of = d.seq ORDER BY n)) END AS payload
FROM delivery d JOIN label l ON l.id = d.label JOIN batch b ON b.first = d.batch
  LEFT JOIN failed f ON f.seq = d.seq ` + lastAttempt + `;
`

// Parts of queries over delivery d, failed f and attempt a: what became of a delivery.
const (
	lastAttempt = `LEFT JOIN attempt a ON a.id = (SELECT max(id) FROM attempt WHERE seq = d.seq)`
	settled     = `(d.seq <= (SELECT low FROM state) OR
  d.seq <= coalesce((SELECT last FROM done WHERE first <= d.seq ORDER BY first DESC LIMIT 1), 0))`
	attempts = `coalesce(f.attempts, a.n, ` + settled + `)`
	// state is outbox.State: a settled delivery that did not fail was delivered.
	state = `coalesce(f.state, 2 * ` + settled + `)`
)

// prepareFile makes the tables of a new file, or checks that those of an old one are ours.
func prepareFile(c *sqlite3.Conn) error {
	return transact(c, func() error {
		empty, err := number(c, `SELECT count(*) = 0 FROM sqlite_master`)
		if err != nil {
			return err
		}
		if empty == 0 {
			return upgrade(c)
		}
		return c.Exec(schema + fmt.Sprintf(`INSERT INTO meta VALUES ('%s', '%d'); INSERT INTO state VALUES (1, NULL, 0, 0);`, schemaKey, version))
	})
}

// upgrade brings the file of an older rowhook up to date, within the transaction of prepareFile.
func upgrade(c *sqlite3.Conn) error {
	found, err := versionOf(c)
	if err != nil || found == version {
		return err
	}
	added := piece
	if found < 2 {
		added += retried
	}
	return c.Exec(added + `DROP VIEW deliveries;` + view + fmt.Sprintf(`UPDATE meta SET value = '%d' WHERE key = '%s'`, version, schemaKey))
}

// checkVersion says whether this program can read the file.
func checkVersion(c *sqlite3.Conn) error {
	found, err := versionOf(c)
	if err == nil && found < version {
		err = fmt.Errorf("it was written by an older rowhook (schema %d, this one reads %d): start the daemon of this version, which brings it up to date", found, version)
	}
	return err
}

// versionOf is the version of the file, if this program knows it.
func versionOf(c *sqlite3.Conn) (found int, err error) {
	ours, err := number(c, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('meta', 'state', 'batch', 'delivery')`)
	if err != nil {
		return 0, err
	}
	if ours != 4 {
		return 0, errors.New("it is a SQLite file, but no outbox of rowhook")
	}
	text, err := setting(c, schemaKey)
	if err != nil {
		return 0, err
	}
	found, err = strconv.Atoi(text)
	switch {
	case err != nil || found < 1:
		return 0, fmt.Errorf("it has no readable schema version (%q): it is damaged", text)
	case found > version:
		return 0, fmt.Errorf("it was written by a newer rowhook (schema %d, this one knows %d): run that version, or move the file away", found, version)
	}
	return found, nil
}
