package mysql

import "rowhook/outbox"

// share is who has an endpoint, as the table says.
type share struct {
	member      string // "": nobody
	epoch, turn int64
	leaving     bool // it is to leave it
	k           int64
}

func (s share) term() outbox.Term { return outbox.Term{Epoch: s.epoch, Turn: s.turn} }

// readShares reads them.
const readShares = `SELECT endpoint, member, epoch, turn, leaving, k FROM share`

func scanShare(scan func(dest ...any) error) (id int64, s share, err error) {
	err = scan(&id, &s.member, &s.epoch, &s.turn, &s.leaving, &s.k)
	return id, s, err
}

// orders are what the holder has decided about endpoints.
type orders struct {
	fence  map[int64]share  // taken from those who do not answer: what they hand over is refused from now on
	leave  map[int64]share  // members are asked to let go of them
	give   map[int64]string // to whom
	epochs map[int64]int64  // the last of each
	bury   []citizen        // members that are none any more
}

func (o *orders) empty() bool { return len(o.fence)+len(o.leave)+len(o.give)+len(o.bury) == 0 }

// write adds them to a change, in order of endpoint, as members do with what they write.
func (o *orders) write(c *change) {
	for _, id := range sortedKeys(o.fence) {
		c.packet.add(`UPDATE share SET member = '', epoch = ?, leaving = 0, k = 0 WHERE endpoint = ?`, o.fence[id].epoch+1, id)
	}
	for _, id := range sortedKeys(o.leave) {
		s := o.leave[id]
		c.packet.add(`UPDATE share SET leaving = 1 WHERE endpoint = ? AND epoch = ? AND member = ?`, id, s.epoch, s.member)
	}
	var rows [][]any
	for _, id := range sortedKeys(o.give) {
		rows = append(rows, []any{id, o.give[id], o.epochs[id] + 1, 0, 0, 0})
	}
	c.packet.rows(`INSERT INTO share(endpoint, member, epoch, turn, leaving, k) VALUES `,
		` ON DUPLICATE KEY UPDATE member = VALUES(member), epoch = VALUES(epoch), leaving = 0, k = 0`, rows)
	for _, dead := range o.bury {
		c.packet.add(`DELETE FROM member WHERE id = ? AND beat = ?`, dead.name, dead.beat)
	}
}
