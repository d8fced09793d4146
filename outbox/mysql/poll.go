package mysql

import (
	"context"
	"maps"
	"time"

	"rowhook/outbox/pending"
)

// view is what a member sees of the tables at once.
type view struct {
	holder   holder
	shares   map[int64]share // its own
	heads    map[int64]head
	all      bool // heads are those of all endpoints, not only of its own
	mail     []string
	citizens []citizen
}

const (
	readLease = `SELECT owner, epoch, beat, uptime FROM lease WHERE name = 'reader'`
	readHeads = `SELECT h.endpoint, h.last, h.added - COALESCE(m.removed, 0), h.bytes - COALESCE(m.bytes, 0), COALESCE(m.low, 0), COALESCE(m.epoch, 0), COALESCE(m.k, 0)
		FROM head h LEFT JOIN mark m ON m.endpoint = h.endpoint`
	ofOwn = ` JOIN share s ON s.endpoint = h.endpoint WHERE s.member = ?`
)

// look reads it in one packet. Shares come before marks: who sees that an endpoint is his, or is to be begun anew, sees all that was
// recorded of it before.
func look(ctx context.Context, db rower, name string, all bool) (v view, err error) {
	v.shares, v.heads, v.all = make(map[int64]share), make(map[int64]head), all
	query := readLease + `;` + readShares + ` WHERE member = ?;` + readMail + `;` + readHeads
	rows := []func(func(...any) error) error{v.lease, v.share, v.letter, v.head}
	args := []any{name, name}
	if all {
		query += `;` + readCitizens
		rows = append(rows, v.citizen)
	} else {
		query += ofOwn
		args = append(args, name)
	}
	err = results(ctx, db, query, args, rows...)
	return v, err
}

func (v *view) lease(scan func(dest ...any) error) error {
	var uptime int64
	err := scan(&v.holder.owner, &v.holder.epoch, &v.holder.beat, &uptime)
	v.holder.uptime = duration(uptime)
	return err
}

func (v *view) share(scan func(dest ...any) error) error {
	id, s, err := scanShare(scan)
	v.shares[id] = s
	return err
}

func (v *view) head(scan func(dest ...any) error) error {
	var id int64
	var h head
	err := scan(&id, &h.last, &h.count, &h.bytes, &h.low, &h.applied.epoch, &h.applied.k)
	v.heads[id] = h
	return err
}

func (v *view) letter(scan func(dest ...any) error) error {
	var id string
	err := scan(&id)
	v.mail = append(v.mail, id)
	return err
}

func (v *view) citizen(scan func(dest ...any) error) error {
	c, err := scanCitizen(scan)
	v.citizens = append(v.citizens, c)
	return err
}

// unknown tells whether there are endpoints whose names are not known yet.
func (p *parts) unknown(v *view) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range v.shares {
		if p.words.endpoints[id] == "" {
			return true
		}
	}
	for id := range v.heads {
		if p.words.endpoints[id] == "" {
			return true
		}
	}
	return false
}

// see takes over what there is now. It returns endpoints that are to be left and are not delivered to, and whether there is less than
// was seen before.
func (p *parts) see(v *view, cfg *Config, now time.Time) (leave []*part, behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seeUptime(v.holder, cfg, now)
	for id, one := range p.byID {
		if is, ours := v.shares[id]; !ours || is.epoch > one.epoch {
			p.drop(one)
		}
	}
	for id, is := range v.shares {
		one := p.byID[id]
		name := p.words.endpoints[id]
		switch {
		case is.epoch <= p.gone[id]: // it was looked at before that
			continue
		case name == "": // another node of a cluster does not know it yet
			continue
		case one == nil:
			one = &part{id: id, name: name, share: is, latest: make(map[int64]*outcome)}
			p.byID[id], p.byName[name] = one, one
		case is.epoch < one.epoch || is.turn < one.turn: // another node of a cluster, which lags behind
			is = one.share
		}
		one.turn, one.leaving = is.turn, one.leaving || is.leaving
		behind = !p.seeHead(one, v.heads[id]) || behind
	}
	if v.all {
		p.heads = v.heads
	} else {
		maps.Copy(p.heads, v.heads)
	}
	p.tell()
	for _, one := range p.byID {
		if one.leaving && !one.left && p.terms.left(one.name) {
			one.left = true
			leave = append(leave, one)
		}
	}
	return leave, behind
}

// seeHead takes over what there is of an endpoint that is ours: what came, and what the holder has recorded. It returns false when
// that is less than before.
func (p *parts) seeHead(one *part, is head) bool {
	if is.last < one.head.last || is.applied.before(one.head.applied) {
		return false
	}
	if is.last > one.head.last {
		pending.Signal(p.channel(one.name))
	}
	one.head = is
	if is.applied.epoch != one.epoch {
		return true
	}
	n := 0
	for _, s := range one.sent {
		if s.k > is.applied.k {
			break
		}
		p.forget(one, s)
		n++
	}
	if one.sent = one.sent[n:]; n > 0 {
		p.makeRoom()
	}
	return true
}

// seeUptime keeps the holder's clock, with ours in between.
func (p *parts) seeUptime(h holder, cfg *Config, now time.Time) {
	if h.owner == "" || h.uptime == p.uptime.before && !p.uptime.since.IsZero() {
		return
	}
	if h.uptime > p.now() || p.uptime.since.IsZero() || p.now()-h.uptime > cfg.lease() {
		p.uptime = clock{before: h.uptime, since: now}
	} else {
		p.uptime = clock{before: p.now(), since: now} // it never goes back
	}
	p.upUntil = now.Add(cfg.lease())
}
