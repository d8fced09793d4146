package main

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"rowhook/config"
)

// openDB prepares connections to the site's database: UTF-8, time zone UTC as in the log, and no wait without an end.
// It connects at the first use.
func openDB(cfg config.Database) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.TLSConfig = cfg.User, cfg.Password, cfg.TLS
	c.Net, c.Addr = cfg.Dial()
	c.Params = map[string]string{"time_zone": "'+00:00'"}
	c.Timeout = 10 * time.Second
	c.ReadTimeout, c.WriteTimeout = 2*time.Minute, 30*time.Second
	if err := c.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return nil, fmt.Errorf("preparing the connection to %s: %w", cfg.Address, err)
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to %s: %w", cfg.Address, err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(8) // a small share of the 151 that a server allows by default
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}
