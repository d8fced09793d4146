package sqlite

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/ncruces/go-sqlite3"
)

// version is the layout of the file. A file of an older rowhook is brought up to date, one of a newer is refused, not
// guessed at.
const version = 6

// schemaKey is the setting that holds the version.
const schemaKey = "schema"

// schema is the layout. It is made for few bytes and few pages a delivery, which is what an outbox costs: the payloads of
// a commit are one blob, a delivery is a small row that points into it, and one that was accepted while it was still in
// memory leaves nothing but a moved low-water mark. An index by endpoint would cost half as much again when there are
// many (BenchmarkIndex), so only what lags has one: the table backlog. The numbers in failed.state are those of
// outbox.State. Times are microseconds since 1970, UTC; 0 is none. Uptimes are microseconds for which a store was open.
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The position, the low-water mark (every delivery up to it is settled, or in the backlog), the last sequence number given,
-- and the uptime.
CREATE TABLE state(id INTEGER PRIMARY KEY CHECK (id = 1), checkpoint BLOB, low INTEGER NOT NULL, last INTEGER NOT NULL,
  uptime INTEGER NOT NULL DEFAULT 0);

-- Deliveries beyond the low-water mark that are settled, or in the backlog, as runs.
CREATE TABLE done(first INTEGER PRIMARY KEY, last INTEGER NOT NULL);

-- What deliveries have in common.
CREATE TABLE label(id INTEGER PRIMARY KEY, rule TEXT NOT NULL, site TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL);

-- The payloads of one commit, one behind the other, from the delivery with that number on.
CREATE TABLE batch(first INTEGER PRIMARY KEY, stored INTEGER NOT NULL, body BLOB NOT NULL);

-- A delivery's number is its place at its endpoint. Endpoint 0 is none. Batch 0: the payload is in kept. Off -1: it is in
-- pieces; -2: it was erased.
CREATE TABLE delivery(
  seq INTEGER PRIMARY KEY, batch INTEGER NOT NULL, label INTEGER NOT NULL, id BLOB NOT NULL, keys TEXT NOT NULL,
  gone INTEGER NOT NULL, as_of INTEGER NOT NULL, created INTEGER NOT NULL, off INTEGER NOT NULL, len INTEGER NOT NULL,
  endpoint INTEGER NOT NULL DEFAULT 0, number INTEGER NOT NULL DEFAULT 0);

-- Deliveries that were tried and not accepted, and held ones: 1 waiting, 3 dead, 4 held. Since is the uptime at the first
-- failed attempt.
CREATE TABLE failed(seq INTEGER PRIMARY KEY, state INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL,
  since INTEGER NOT NULL DEFAULT 0);
CREATE INDEX failed_due ON failed(due) WHERE state = 1;

-- Attempts of deliveries that failed at least once. N is how many attempts were used up; latency is in microseconds.
CREATE TABLE attempt(
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, latency INTEGER NOT NULL,
  status INTEGER NOT NULL, error TEXT NOT NULL, response TEXT NOT NULL);
CREATE INDEX attempt_seq ON attempt(seq);

-- Deliveries that a person had sent again, and when.
CREATE TABLE retried(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, uptime INTEGER NOT NULL DEFAULT 0);
` + piece + addedIn4 + addedIn5 + addedIn6 + view

// piece came with version 3. Versions since 4 write none.
const piece = `
-- Payloads in pieces, by the number of their delivery. Each piece ends with a byte that is not its own.
CREATE TABLE piece(of INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(of, n));
`

// addedIn4 came with version 4.
const addedIn4 = `
-- Records of events that are not deliveries yet, and the like, in order, each under its owner's key.
CREATE TABLE record(ord INTEGER PRIMARY KEY, owner TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, UNIQUE(owner, key));

-- Endpoints: the last number given, how many deliveries are undelivered, of how many bytes, and how many of them lie in the
-- backlog. 0 is for those that nothing sends anywhere yet.
CREATE TABLE endpoint(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL, count INTEGER NOT NULL,
  bytes INTEGER NOT NULL, lagging INTEGER NOT NULL);
INSERT INTO endpoint VALUES (0, '', 0, 0, 0, 0);

-- Where the deliveries of each rule go.
CREATE TABLE route(rule TEXT PRIMARY KEY, endpoint INTEGER NOT NULL) WITHOUT ROWID;

-- Undelivered deliveries that are not kept in memory. Since is their age's beginning, an uptime.
CREATE TABLE backlog(endpoint INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY(endpoint, number)) WITHOUT ROWID;

-- How many deliveries of a rule are in each state.
CREATE TABLE counter(rule TEXT PRIMARY KEY, fresh INTEGER NOT NULL, waiting INTEGER NOT NULL, delivered INTEGER NOT NULL,
  dead INTEGER NOT NULL, held INTEGER NOT NULL) WITHOUT ROWID;

-- Columns that a payload leaves out, one a line.
CREATE TABLE omitted(seq INTEGER PRIMARY KEY, columns TEXT NOT NULL);

-- The uptime at each commit.
CREATE TABLE clock(first INTEGER PRIMARY KEY, uptime INTEGER NOT NULL);

-- Payloads that outlast those of their commit, and when that was.
CREATE TABLE kept(seq INTEGER PRIMARY KEY, stored INTEGER NOT NULL, body BLOB NOT NULL);
`

// addedIn5 came with version 5. What grows with each outcome stands in rows that are written anyway.
const addedIn5 = `
-- Outcomes of a rule's deliveries, whether those are still there or not: attempts accepted, attempts failed, given up.
ALTER TABLE counter ADD COLUMN ever_delivered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN ever_failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN ever_dead INTEGER NOT NULL DEFAULT 0;

-- The same of an endpoint, how long its attempts took together, and how many of them took up to each of outbox.Latencies, as
-- JSON. Hour is the one of the last outcome, in hours since 1970.
ALTER TABLE endpoint ADD COLUMN ever_delivered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN ever_failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN ever_dead INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN ever_took INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN ever_times TEXT NOT NULL DEFAULT '[]';
ALTER TABLE endpoint ADD COLUMN hour INTEGER NOT NULL DEFAULT 0;

-- What an endpoint had when an hour began: the hour itself is what came until the next row, or until now.
CREATE TABLE hour(id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, hour INTEGER NOT NULL,
  delivered INTEGER NOT NULL, failed INTEGER NOT NULL, dead INTEGER NOT NULL, took INTEGER NOT NULL, times TEXT NOT NULL);
CREATE INDEX hour_endpoint ON hour(endpoint);

-- Events that became deliveries.
CREATE TABLE event(site TEXT NOT NULL, kind TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(site, kind)) WITHOUT ROWID;
`

// addedIn6 came with version 6.
const addedIn6 = `
-- What a commit adds to event, where that is more than a few rows: by kind and by site, as JSON.
CREATE TABLE counted(id INTEGER PRIMARY KEY, events TEXT NOT NULL);
`

// The view must be plain enough for the sqlite3 of old distributions: one that cannot read it reads nothing of the file.
const view = `
-- For people: sqlite3 outbox.db 'SELECT * FROM deliveries'
CREATE VIEW deliveries AS
SELECT d.seq, lower(hex(d.id)) AS id, l.rule, l.site, l.kind, l.action,
  nullif(e.name, '') AS endpoint, nullif(d.number, 0) AS number,
  CASE ` + state + ` WHEN 0 THEN 'fresh' WHEN 1 THEN 'waiting' WHEN 2 THEN 'delivered' WHEN 3 THEN 'dead' WHEN 4 THEN 'held' END AS state,
  ` + attempts + ` AS attempts,
  datetime(d.created / 1000000, 'unixepoch') AS created,
  datetime(nullif(f.due, 0) / 1000000, 'unixepoch') AS due,
  datetime((SELECT at FROM retried WHERE seq = d.seq) / 1000000, 'unixepoch') AS retried,
  a.status, a.error, d.keys, d.gone, (SELECT columns FROM omitted WHERE seq = d.seq) AS omitted,
  CASE WHEN d.off = -2 THEN NULL WHEN d.off = -1 THEN
    (SELECT group_concat(text, '') FROM
      (SELECT CAST(substr(body, 1, length(body) - 1) AS TEXT) AS text FROM piece WHERE of = d.seq ORDER BY n))
    WHEN d.batch = 0 THEN (SELECT CAST(body AS TEXT) FROM kept WHERE seq = d.seq)
    ELSE (SELECT CAST(substr(body, d.off + 1, d.len) AS TEXT) FROM batch WHERE first = d.batch) END AS payload
FROM delivery d JOIN label l ON l.id = d.label LEFT JOIN endpoint e ON e.id = d.endpoint
  LEFT JOIN failed f ON f.seq = d.seq ` + lastAttempt + `;
`

// Parts of queries over delivery d, failed f and attempt a: what became of a delivery.
const (
	lastAttempt = `LEFT JOIN attempt a ON a.id = (SELECT max(id) FROM attempt WHERE seq = d.seq)`
	lags        = `EXISTS (SELECT 1 FROM backlog WHERE endpoint = d.endpoint AND number = d.number)`
	settled     = `((d.seq <= (SELECT low FROM state) OR
  d.seq <= coalesce((SELECT last FROM done WHERE first <= d.seq ORDER BY first DESC LIMIT 1), 0)) AND NOT ` + lags + `)`
	attempts = `coalesce(f.attempts, a.n, ` + settled + `)`
	// state is outbox.State: a settled delivery that did not fail was delivered.
	state = `coalesce(f.state, 2 * ` + settled + `)`
)

// prepareFile makes the tables of a new file, or checks that those of an old one are ours.
func prepareFile(c *sqlite3.Conn) error {
	tables, err := number(c, `SELECT count(*) FROM sqlite_master`)
	if err != nil {
		return err
	}
	if tables == 0 {
		return transact(c, func() error { return c.Exec(schema + firstRows()) })
	}
	found, err := versionOf(c)
	if err != nil || found == version {
		return err // without writing: another program may hold the file for a while
	}
	return upgrade(c, found)
}

// firstRows are in every file.
func firstRows() string {
	return fmt.Sprintf(`INSERT INTO meta VALUES ('%s', '%d'); INSERT INTO state VALUES (1, NULL, 0, 0, 0);`, schemaKey, version)
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
	case text == halfCopy:
		return 0, errHalf
	case err != nil || found < 1:
		return 0, fmt.Errorf("it has no readable schema version (%q): it is damaged", text)
	case found > version:
		return 0, fmt.Errorf("it was written by a newer rowhook (schema %d, this one knows %d): run that version again, or put back the copy of state_dir that was made before the upgrade (docs/operations.md, Downgrade); nothing was changed", found, version)
	}
	return found, nil
}
