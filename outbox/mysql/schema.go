package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"rowhook/outbox"
)

// version is the layout of the schema. One of a newer rowhook is refused, not guessed at.
const version = 2

// schema is the layout. What the reader writes and what an endpoint's sender writes are rows of their own (head and mark,
// delivery and failed), so that two processes never write one row: nothing is refused when a cluster certifies a commit. A payload
// has a row of its own, as InnoDB reads a large value whole, and searching the deliveries must not read them. Texts from outside are
// blobs: they may hold bytes that are no UTF-8, and those that serve as a key are found by a hash of theirs (h), as a key is short.
// The numbers in failed.state are those of outbox.State. Times are microseconds since 1970, UTC; 0 is none. Uptimes are
// microseconds for which a store was open.
//
// Every statement names its columns, and changes of the layout only add some: processes of two versions may meet here.
var schema = []string{
	// Who reads. Beat moves at each renewal: contenders watch it with their own clocks. Until is for people to look at.
	`lease(name VARCHAR(64) PRIMARY KEY, owner VARCHAR(255) NOT NULL, epoch BIGINT NOT NULL, beat BIGINT NOT NULL, until DATETIME(6),
		uptime BIGINT NOT NULL)`,
	// One row, which every transaction writes: the fence. Seq counts them, last is the last delivery, bytes what deliveries take.
	`state(id TINYINT PRIMARY KEY, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, last BIGINT NOT NULL, bytes BIGINT NOT NULL)`,
	`progress(id TINYINT PRIMARY KEY, checkpoint LONGBLOB)`,
	// Records of events that are not deliveries yet, and the like, in order.
	`record(h BINARY(16) PRIMARY KEY, ord BIGINT NOT NULL, owner BLOB NOT NULL, k BLOB NOT NULL, data LONGBLOB NOT NULL)`,
	`setting(h BINARY(16) PRIMARY KEY, k BLOB NOT NULL, v LONGBLOB NOT NULL)`,
	`endpoint(id INT PRIMARY KEY, name BLOB NOT NULL)`,
	`route(id INT PRIMARY KEY, rule BLOB NOT NULL, endpoint INT NOT NULL)`,
	`label(id INT PRIMARY KEY, rule BLOB NOT NULL, site BLOB NOT NULL, action BLOB NOT NULL, kind BLOB NOT NULL)`,
	// The last number given at an endpoint, and how many deliveries and bytes of payloads ever came to it.
	`head(endpoint INT PRIMARY KEY, last BIGINT NOT NULL, added BIGINT NOT NULL, bytes BIGINT NOT NULL)`,
	// Every number up to low, and the runs beyond it, is of one that is not fresh any more: it is delivered, or in failed, or gone.
	// And how many of those that came are not undelivered any more.
	`mark(endpoint INT PRIMARY KEY, low BIGINT NOT NULL, beyond MEDIUMBLOB NOT NULL, removed BIGINT NOT NULL, bytes BIGINT NOT NULL)`,
	// Endpoint 0 is none. Kept is when it was stored, since the uptime at which its age began.
	`delivery(seq BIGINT PRIMARY KEY, endpoint INT NOT NULL, n BIGINT NOT NULL, label INT NOT NULL, id BINARY(16) NOT NULL,
		aggs MEDIUMBLOB NOT NULL, omitted MEDIUMBLOB, object TINYINT NOT NULL, as_of BIGINT NOT NULL, created BIGINT NOT NULL,
		kept BIGINT NOT NULL, since BIGINT NOT NULL, retried BIGINT NOT NULL, len BIGINT NOT NULL, erased TINYINT NOT NULL,
		KEY place(endpoint, n))`,
	`payload(seq BIGINT PRIMARY KEY, body LONGBLOB NOT NULL)`,
	// Those that were tried and not accepted, and held ones: 1 waiting, 3 dead, 4 held. Since is the uptime at the first failure.
	`failed(seq BIGINT PRIMARY KEY, endpoint INT NOT NULL, n BIGINT NOT NULL, state TINYINT NOT NULL, attempts INT NOT NULL,
		due BIGINT NOT NULL, since BIGINT NOT NULL, KEY place(endpoint, state, n), KEY due(state, due))`,
	// The processes that work here, the holder of the lease too. Beat moves as they renew it, as the lease's does; seen and until are
	// for people. Rules is a digest. Whose row is gone was taken for dead.
	`member(id VARCHAR(255) PRIMARY KEY, beat BIGINT NOT NULL, seen DATETIME(6) NOT NULL, until DATETIME(6) NOT NULL, rules VARCHAR(255) NOT NULL,
		reading TINYINT NOT NULL, version INT NOT NULL)`,
	// Which process delivers to an endpoint, '': none; no row: the holder. Only the holder gives, and makes a new epoch of it. K counts
	// what the member has handed over in that epoch, and turn how often it is to look at its endpoint anew.
	`share(endpoint INT PRIMARY KEY, member VARCHAR(255) NOT NULL, epoch BIGINT NOT NULL, turn BIGINT NOT NULL, leaving TINYINT NOT NULL,
		k BIGINT NOT NULL)`,
	// Outcomes that members hand over to the holder, who removes them in the transaction that records them.
	`outcome(endpoint INT NOT NULL, epoch BIGINT NOT NULL, k BIGINT NOT NULL, body MEDIUMBLOB NOT NULL, PRIMARY KEY(endpoint, epoch, k))`,
	// What a process asks another.
	`message(id VARCHAR(64) PRIMARY KEY, recipient VARCHAR(255) NOT NULL, request MEDIUMBLOB NOT NULL, answer MEDIUMBLOB, made DATETIME(6) NOT NULL)`,
	// Attempts of deliveries that failed at least once. N is how many attempts were used up.
	`attempt(seq BIGINT NOT NULL, k INT NOT NULL, n INT NOT NULL, at BIGINT NOT NULL, latency BIGINT NOT NULL, status INT NOT NULL,
		error BLOB NOT NULL, response BLOB NOT NULL, PRIMARY KEY(seq, k))`,
	// How many deliveries of a label are in each state, and what became of them ever: the sum over all endpoints counts.
	`counter(endpoint INT NOT NULL, label INT NOT NULL, fresh BIGINT NOT NULL, waiting BIGINT NOT NULL, delivered BIGINT NOT NULL,
		dead BIGINT NOT NULL, held BIGINT NOT NULL, ever_delivered BIGINT NOT NULL, ever_failed BIGINT NOT NULL,
		ever_dead BIGINT NOT NULL, PRIMARY KEY(endpoint, label))`,
	// Attempts at an endpoint by the hour, counted from 1970 on; 0: all. T0, t1... are those that took up to each of outbox.Latencies.
	`tally(endpoint INT NOT NULL, hour BIGINT NOT NULL, delivered BIGINT NOT NULL, failed BIGINT NOT NULL, dead BIGINT NOT NULL,
		took BIGINT NOT NULL, ` + strings.Join(tallyTimes, ` BIGINT NOT NULL, `) + ` BIGINT NOT NULL, PRIMARY KEY(endpoint, hour))`,
	`event(h BINARY(16) PRIMARY KEY, site BLOB NOT NULL, kind BLOB NOT NULL, n BIGINT NOT NULL)`,
	// The last one: where it is, the others are.
	`meta(k VARCHAR(64) PRIMARY KEY, v VARCHAR(255) NOT NULL)`,
}

// firstRows are in every schema. Several processes may write them at once.
const firstRows = `INSERT IGNORE INTO lease(name, owner, epoch, beat, uptime) VALUES ('reader', '', 0, 0, 0);
	INSERT IGNORE INTO state(id, epoch, seq, last, bytes) VALUES (1, 0, 0, 0, 0);
	INSERT IGNORE INTO progress(id) VALUES (1)`

// added are the columns that later versions have added, in the order in which they did. With epoch and k a mark says which of
// the outcomes that were handed over are in it.
var added = []string{
	`mark ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0, ADD COLUMN k BIGINT NOT NULL DEFAULT 0`,
}

// Errors of the server that say what is not there, or there already.
const (
	noSchema  = 1049
	noTable   = 1146
	hasColumn = 1060
)

// prepare makes the schema and its tables where they are missing, upgrades those of an older rowhook, and refuses those of a newer
// one. Several processes may do so at once: each statement changes nothing that is there.
func prepare(ctx context.Context, c *connector) error {
	db := sql.OpenDB(c)
	defer db.Close()
	found, err := readVersion(ctx, db)
	if isNumber(err, noSchema) {
		if err := makeSchema(ctx, c); err != nil {
			return err
		}
		err = outbox.ErrNotExist
	}
	if err == nil && found == version || err != nil && !errors.Is(err, outbox.ErrNotExist) {
		return err
	}
	if err := makeTables(ctx, db); err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}
	return checkVersion(ctx, db)
}

func makeTables(ctx context.Context, db *sql.DB) error {
	for _, table := range schema {
		if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS `+table+` ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`); err != nil {
			return err
		}
	}
	for _, columns := range added {
		if _, err := db.ExecContext(ctx, `ALTER TABLE `+columns); err != nil && !isNumber(err, hasColumn) {
			return err
		}
	}
	_, err := db.ExecContext(ctx, firstRows+fmt.Sprintf(`; INSERT IGNORE INTO meta(k, v) VALUES ('schema', '%d');
		UPDATE meta SET v = '%[1]d' WHERE k = 'schema' AND CAST(v AS UNSIGNED) < %[1]d`, version))
	return err
}

func makeSchema(ctx context.Context, c *connector) error {
	db := sql.OpenDB(c.without())
	defer db.Close()
	_, err := db.ExecContext(ctx, `CREATE DATABASE IF NOT EXISTS `+quoteName(c.schema))
	if err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	return nil
}

// checkVersion says whether this program can work with the schema; outbox.ErrNotExist that nothing is there yet.
func checkVersion(ctx context.Context, db *sql.DB) error {
	_, err := readVersion(ctx, db)
	return err
}

// readVersion tells the version of a schema that this program can work with: an older one is to be upgraded before it is written to.
func readVersion(ctx context.Context, db *sql.DB) (found int, err error) {
	var text string
	err = db.QueryRowContext(ctx, `SELECT v FROM meta WHERE k = 'schema'`).Scan(&text)
	switch {
	case isNumber(err, noTable), errors.Is(err, sql.ErrNoRows):
		return 0, outbox.ErrNotExist
	case err != nil:
		return 0, err
	}
	found, err = strconv.Atoi(text)
	switch {
	case err != nil || found < 1:
		return 0, fmt.Errorf("%w: it has no readable version (%.20q)", errForeign, text)
	case found > version:
		return 0, fmt.Errorf("%w (schema %d, this one knows %d): run that version again, or restore the backup that was made before the upgrade; nothing was changed",
			errNewer, found, version)
	}
	return found, checkWhole(ctx, db)
}

// Errors of a schema that this program cannot work with.
var (
	errNewer   = errors.New("it was written by a newer rowhook")
	errForeign = errors.New("the table meta is not rowhook's")
)

// quoteName makes an identifier safe in SQL.
func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// isNumber tells whether an error is the server's with one of these numbers.
func isNumber(err error, numbers ...uint16) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && slices.Contains(numbers, refused.Number)
}
