package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"rowhook/outbox"
)

// Finding is what Check found out about one thing that the outbox needs.
type Finding struct {
	Name  string // what was looked at: "version", "max_allowed_packet"
	Found string // what it is
	Fix   string // what to type, where something is to be done
	Grade Grade
}

// Grade says how a Finding is to be taken.
type Grade uint8

// Grades of a Finding.
const (
	OK   Grade = iota
	Warn       // it works, but loses something that a person may want
	Fail       // it does not work
)

// Check looks at the server that Open would use, and changes nothing. An error of the connection is a Finding, too.
func Check(ctx context.Context, cfg Config) []Finding {
	if err := cfg.check(); err != nil {
		return []Finding{{Name: "configuration", Found: err.Error(), Fix: "correct outbox.mysql", Grade: Fail}}
	}
	db := pool(newConnector(cfg, false), 1)
	defer db.Close()
	version := checkVersion(ctx, db)
	if isNumber(version, noSchema) {
		db.Close()
		db = pool(newConnector(cfg, false).without(), 1)
		defer db.Close()
	}
	if err := db.PingContext(ctx); err != nil {
		fix := advice(&cfg, err)
		if fix == "" {
			fix = "see that the server runs, takes writes, and that outbox.mysql.addresses is where it listens"
		}
		return []Finding{{Name: "server", Found: shown(err).Error(), Fix: fix, Grade: Fail}}
	}
	findings := []Finding{layout(&cfg, version)}
	for _, look := range []func(context.Context, *sql.DB, *Config) (Finding, error){server, strictness, packetSize, durability, annotations, rights} {
		f, err := look(ctx, db, &cfg)
		if err != nil {
			f.Found, f.Fix, f.Grade = shown(err).Error(), "look the number of the error up, and see the server's own log", Fail
		}
		findings = append(findings, f)
	}
	return findings
}

// layout tells of the schema.
func layout(cfg *Config, err error) Finding {
	f := Finding{Name: "schema", Found: cfg.Schema}
	switch {
	case err == nil:
	case isNumber(err, noSchema), errors.Is(err, outbox.ErrNotExist):
		f.Found += " is not there yet: the daemon makes it"
	default:
		f.Found, f.Fix, f.Grade = shown(err).Error(), "run the version of rowhook that wrote it, or name another schema", Fail
		if fix := advice(cfg, err); fix != "" {
			f.Fix = fix
		}
	}
	return f
}

func server(ctx context.Context, db *sql.DB, _ *Config) (Finding, error) {
	f := Finding{Name: "version"}
	var engine string
	err := db.QueryRowContext(ctx, `SELECT VERSION(), (SELECT support FROM information_schema.engines WHERE engine = 'InnoDB')`).Scan(&f.Found, &engine)
	var major, minor int
	if err == nil {
		_, err = fmt.Sscanf(f.Found, "%d.%d", &major, &minor)
	}
	maria := strings.Contains(f.Found, "MariaDB")
	switch {
	case maria && (major < 10 || major == 10 && minor < 4), !maria && major < 8:
		f.Fix, f.Grade = "the outbox needs MySQL 8.0 or MariaDB 10.4, or a later one", Fail
	case engine == "NO" || engine == "DISABLED":
		f.Found, f.Fix, f.Grade = f.Found+" without InnoDB", "turn InnoDB on", Fail
	}
	return f, err
}

// strictness proves what the fence needs: that a NULL where none may be is an error.
func strictness(ctx context.Context, db *sql.DB, _ *Config) (Finding, error) {
	f := Finding{Name: "sql_mode"}
	err := db.QueryRowContext(ctx, `SELECT @@SESSION.sql_mode`).Scan(&f.Found)
	if err == nil && !strings.Contains(f.Found, "STRICT_TRANS_TABLES") {
		f.Fix, f.Grade = "the session could not be made strict: see that no proxy in between drops SET SESSION", Fail
	}
	return f, err
}

func packetSize(ctx context.Context, db *sql.DB, _ *Config) (Finding, error) {
	f := Finding{Name: "max_allowed_packet"}
	var size int64
	err := db.QueryRowContext(ctx, `SELECT @@max_allowed_packet`).Scan(&size)
	f.Found = fmt.Sprintf("%d: payloads of up to %d MB", size, limitsOf(size).Payload>>20)
	const advised = 64 << 20
	if size < advised {
		f.Fix, f.Grade = "set max_allowed_packet = 64M in the server's my.cnf, and type: SET GLOBAL max_allowed_packet = 67108864;", Warn
	}
	if size < minPacket {
		f.Grade = Fail
	}
	return f, err
}

// durability: a commit that is told to be done is to outlast a power cut.
func durability(ctx context.Context, db *sql.DB, _ *Config) (Finding, error) {
	f := Finding{Name: "durability"}
	var flush, sync, logged int
	err := db.QueryRowContext(ctx, `SELECT @@GLOBAL.innodb_flush_log_at_trx_commit, @@GLOBAL.sync_binlog, @@GLOBAL.log_bin`).Scan(&flush, &sync, &logged)
	f.Found = fmt.Sprintf("innodb_flush_log_at_trx_commit=%d, sync_binlog=%d", flush, sync)
	if flush != 1 || logged == 1 && sync != 1 {
		f.Fix, f.Grade = "a power cut takes the last second of commits back, and what they held is delivered again: set both to 1 in my.cnf", Warn
	}
	return f, err
}

// annotations: a MariaDB writes the text of each statement to the log beside its rows, so payloads twice.
func annotations(ctx context.Context, db *sql.DB, cfg *Config) (Finding, error) {
	f := Finding{Name: "binlog_annotate_row_events", Found: "0"}
	var logged, annotated int
	err := db.QueryRowContext(ctx, `SELECT @@GLOBAL.log_bin, @@SESSION.binlog_annotate_row_events`).Scan(&logged, &annotated)
	const unknown = 1193 // to a MySQL
	if isNumber(err, unknown) {
		return f, nil
	}
	if logged == 1 && annotated == 1 {
		f.Found = "1: payloads are written to the binary log twice"
		f.Fix, f.Grade = fmt.Sprintf("type, as an administrator of that server: GRANT BINLOG ADMIN ON *.* TO '%s'@'%%';", cfg.User), Warn
	}
	return f, err
}

// rights looks for a grant of all that is needed.
func rights(ctx context.Context, db *sql.DB, cfg *Config) (Finding, error) {
	f := Finding{Name: "rights", Found: "none on " + cfg.Schema, Fix: "type, as an administrator of that server: " + grant(cfg), Grade: Fail}
	err := each(ctx, db, `SHOW GRANTS`, nil, func(scan func(...any) error) (bool, error) {
		var line string
		err := scan(&line)
		what, on, _ := strings.Cut(line, " ON ")
		all := strings.Contains(what, "ALL PRIVILEGES")
		for _, one := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER"} {
			all = all || strings.Contains(what, one)
		}
		scope, _, _ := strings.Cut(on, " TO ")
		if all && covers(scope, cfg.Schema) {
			f.Found, f.Fix, f.Grade = strings.TrimPrefix(what, "GRANT ")+" ON "+scope, "", OK
		}
		return true, err
	})
	return f, err
}

// covers tells whether what a grant is ON includes a schema. In a schema's name % and _ stand for others, but behind a backslash.
func covers(scope, schema string) bool {
	if scope == "*.*" {
		return true
	}
	name := strings.TrimSuffix(strings.TrimPrefix(scope, "`"), "`.*")
	pattern := strings.NewReplacer(`\\_`, `_`, `\\%`, `%`, `%`, `.*`, `_`, `.`).Replace(regexp.QuoteMeta(strings.ReplaceAll(name, "``", "`")))
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(schema)
}
