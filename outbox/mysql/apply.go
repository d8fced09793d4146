package mysql

import (
	"context"

	"rowhook/outbox"
)

// apply records what members have handed over, each bundle once, and removes it.
func (c *change) apply(ctx context.Context, q *queue, bundles []bundle) error {
	c.adopted = nil
	gone := make(map[handedAt][]int64)
	for _, b := range bundles {
		at := handedAt{b.endpoint, b.epoch}
		gone[at] = append(gone[at], b.k)
		if e := c.end(b.endpoint); e.applied.before(b.handed) {
			e.applied = b.handed
			if b.damaged != nil {
				c.disarranged[b.endpoint] = true // who has it shall look what it has
			}
			c.adopted = append(c.adopted, q.adopt(b)...)
		}
	}
	for at, ks := range gone {
		c.packet.each(`DELETE FROM outcome WHERE endpoint = `+list([]int64{at.endpoint})+` AND epoch = `+list([]int64{at.epoch})+` AND k IN `, ks)
	}
	return c.settle(ctx, c.adopted)
}

type handedAt struct{ endpoint, epoch int64 }

// adopt makes outcomes of what was handed over. Where a delivery lies is taken from memory, or from who claimed it.
func (q *queue) adopt(b bundle) []*outcome {
	var plain []outbox.Outcome
	for _, o := range b.outcomes {
		plain = append(plain, o.Outcome)
	}
	all := q.record(plain)
	for i, o := range all {
		if p := b.outcomes[i].place; o.Delivery == nil && o.AtOnce() && p.n > 0 {
			e := &entry{endpoint: b.endpoint, label: p.label, length: p.length}
			e.Seq, e.Number = o.Seq, p.n
			o.Delivery = e
		}
	}
	return all
}

const (
	// readSizes reads how long it is what was handed over, in order, and readBundles what it is. They read a limit of rows, so there may be more.
	readSizes   = `SELECT LENGTH(body) FROM outcome ORDER BY endpoint, epoch, k LIMIT `
	readBundles = `SELECT endpoint, epoch, k, IF(LENGTH(body) > ` + maxBody + `, '', body) FROM outcome ORDER BY endpoint, epoch, k LIMIT `
	// maxBody is more than a member hands over at once of an endpoint, in bytes: what is longer counts as damaged.
	maxBody = `8388608`
)

// scanBundle reads a row of readBundles.
func scanBundle(scan func(dest ...any) error) (b bundle, err error) {
	var body []byte
	if err := scan(&b.endpoint, &b.epoch, &b.k, &body); err != nil {
		return b, err
	}
	b.size = len(body)
	b.outcomes, b.damaged = decodeOutcomes(body)
	return b, nil
}
