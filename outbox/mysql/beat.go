package mysql

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// presence is this process's row among the members, as long as it renews it.
type presence struct {
	right
	cfg  *Config
	db   *sql.DB // of its own: a renewal waits for nothing
	name string
}

func newPresence(cfg *Config, db *sql.DB) *presence {
	return &presence{right: newRight(), cfg: cfg, db: db, name: newOwner()}
}

// errSilent is why a member is one no more.
var errSilent = errors.New("it took this process for dead, as that was silent for too long")

// renewMember is how a member shows that it lives.
const renewMember = `UPDATE member SET beat = beat + 1, seen = UTC_TIMESTAMP(6), until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE id = ?`

// present makes a process's row, if it has none.
func present(p *packet, cfg *Config, name string) {
	p.add(`INSERT INTO member(id, beat, seen, until, rules, reading, version)
		VALUES (?, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, ?, ?, ?)
		ON DUPLICATE KEY UPDATE beat = beat + 1`,
		name, cfg.lease().Microseconds(), cfg.Who.Rules, cfg.Who.Reads, version)
}

// begin makes this process a member.
func (p *presence) begin(ctx context.Context) error {
	began := time.Now()
	var row packet
	present(&row, p.cfg, p.name)
	if err := row.send(ctx, p.db); err != nil {
		return err
	}
	p.extend(began.Add(p.cfg.deadline()))
	return nil
}

// renew moves the deadline on: it is counted from before the renewal was sent.
func (p *presence) renew(ctx context.Context) error {
	began := time.Now()
	result, err := p.db.ExecContext(ctx, renewMember, p.cfg.lease().Microseconds(), p.name)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return p.lose(errSilent)
	}
	if err == nil {
		p.extend(began.Add(p.cfg.deadline()))
	}
	return err
}

// tell changes what the others are told of this process.
func tell(ctx context.Context, db *sql.DB, name string, who Who) error {
	_, err := db.ExecContext(ctx, `UPDATE member SET rules = ?, reading = ? WHERE id = ?`, who.Rules, who.Reads, name)
	return err
}
