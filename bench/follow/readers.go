package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
	driver "github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/connect"
	"rowhook/loader"
	"rowhook/rules"
)

// bare counts events, as the example of go-mysql does.
func bare(ctx context.Context, args []string) error {
	w, err := parseWhere(args)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(w.address)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return err
	}
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: 77, Flavor: mysql.MariaDBFlavor, Host: host, Port: uint16(n), User: user, Password: password,
		Logger: slog.New(slog.DiscardHandler),
	})
	defer syncer.Close()
	set, err := mysql.ParseMariadbGTIDSet(w.Start.Set)
	if err != nil {
		return err
	}
	streamer, err := syncer.StartSyncGTID(set)
	if err != nil {
		return err
	}
	var c counts
	for {
		e, err := streamer.GetEvent(ctx)
		if err != nil {
			return err
		}
		c.Events++
		if e.Header.EventType == replication.MARIADB_GTID_EVENT {
			c.Transactions++
		}
		if uint64(e.Header.LogPos) >= w.end.Offset {
			return json.NewEncoder(os.Stdout).Encode(c)
		}
	}
}

// salon is the site whose tables the daemon would watch.
var salon = rules.Site{Name: "salon", Schema: schema, Prefix: "wp_"}

func sourceConfig(address string) cdc.Config {
	sites := []*rules.Site{&salon}
	return cdc.Config{
		Server:   connect.New(connect.Config{Address: address, User: user, Password: connect.Password(password)}),
		ServerID: 78, Watch: cdc.Watch{Tables: salon.Tables()}, Lookups: loader.Lookups(sites),
		Statements: true, Log: slog.New(slog.DiscardHandler),
	}
}

func sidePool(address string) (*sql.DB, error) {
	c := driver.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.InterpolateParams = user, password, "tcp", address, true
	connector, err := driver.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// stage follows the log as the daemon does.
func stage(ctx context.Context, args []string) error {
	w, err := parseWhere(args)
	if err != nil {
		return err
	}
	db, err := sidePool(w.address)
	if err != nil {
		return err
	}
	defer db.Close()
	source, err := cdc.Open(ctx, db, sourceConfig(w.address))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &sink{end: w.end, done: cancel}
	if err := source.Follow(ctx, w.Start, w.Schema, s); !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.Join(json.NewEncoder(os.Stdout).Encode(s.counts), source.Close())
}

// learn is what a daemon that follows from here stores of the tables.
func learn(ctx context.Context, address string, from cdc.Position) ([]cdc.SchemaRecord, error) {
	db, err := sidePool(address)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	source, err := cdc.Open(ctx, db, sourceConfig(address))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &learner{done: cancel}
	if err := source.Follow(ctx, from, nil, l); !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return l.schema, source.Close()
}

// learner ends the reading when the tables are known.
type learner struct {
	schema []cdc.SchemaRecord
	done   context.CancelFunc
}

func (l *learner) Change(*cdc.Change) error { return nil }

func (l *learner) Discard(int) {}

func (l *learner) Commit(c *cdc.Commit) error {
	if l.schema = append(l.schema, c.Schema...); len(l.schema) > 0 {
		l.done()
	}
	return nil
}

// sink counts, and ends the reading at the log's end.
type sink struct {
	counts

	end    cdc.Coord
	done   context.CancelFunc
	lookup bool // the transaction wrote wp_options
}

func (s *sink) Change(c *cdc.Change) error {
	if c.Table.Name == "wp_options" {
		s.lookup = true // a REPLACE may be two rows
	} else {
		s.Watched++
	}
	return nil
}

func (s *sink) Discard(int) {}

func (s *sink) Commit(c *cdc.Commit) error {
	if c.Txn != (cdc.Txn{}) {
		s.Transactions++
	}
	if s.lookup {
		s.Lookups++
		s.lookup = false
	}
	if !c.End.Before(s.end) {
		s.done()
	}
	return nil
}
