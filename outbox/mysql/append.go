package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rowhook/retry"
)

const (
	// gather is how long outcomes may wait for others before they are handed over.
	gather = 40 * time.Millisecond
	// maxHanded is how many bytes are handed over at once, about, and maxHandedOf how many outcomes of an endpoint.
	maxHanded   = 1 << 20
	maxHandedOf = 2048
)

// appender hands outcomes over to the holder: all that wait, of all endpoints, in one packet.
type appender struct {
	cfg      *Config
	pools    pools
	presence *presence
	parts    *parts
	trouble  trouble
	log      *slog.Logger

	mu    sync.Mutex // held for each packet
	doubt []*parcel  // of the last one, if it is not known what became of it
}

// run hands over what waits until closing is closed. It ends, too, when this process is a member no more.
func (a *appender) run(ctx context.Context, closing <-chan struct{}) {
	for {
		select {
		case <-closing:
			return
		case <-ctx.Done():
			return
		case <-a.presence.lost:
			return
		case <-a.parts.some:
		}
		wait := time.NewTimer(gather)
		select {
		case <-a.parts.many:
		case <-wait.C:
		case <-closing:
		}
		wait.Stop()
		if err := a.flush(ctx, a.presence.lost); err != nil {
			if ctx.Err() == nil && a.presence.held() == nil {
				a.log.Error("outcomes cannot be handed over", slog.Any("error", explain("write", a.cfg, err)))
				_ = a.presence.lose(err)
			}
			return
		}
	}
}

// parcel is what is handed over of one endpoint.
type parcel struct {
	part     *part
	id       int64
	epoch, k int64 // k is the one before
	outcomes []*outcome
	body     []byte
}

// take makes parcels of what waits, in order of endpoint. What they have waits on until sent says more.
func (p *parts) take() (list []*parcel) {
	size := 0
	for _, one := range p.all() {
		p.mu.Lock()
		parcel := &parcel{part: one, id: one.id, epoch: one.epoch, k: one.k, outcomes: one.waiting[:min(len(one.waiting), maxHandedOf)]}
		p.mu.Unlock()
		n := 0
		for ; n < len(parcel.outcomes) && size < maxHanded; n++ {
			size += sizeOf(parcel.outcomes[n])
		}
		if parcel.outcomes = parcel.outcomes[:n]; n > 0 {
			parcel.encode()
			list = append(list, parcel)
		}
	}
	return list
}

func (l *parcel) encode() {
	list := make([]handedOver, len(l.outcomes))
	for i, o := range l.outcomes {
		list[i].Outcome = o.Outcome
		if e := o.Delivery; e != nil {
			list[i].place = place{n: e.Number, label: e.label, length: e.length}
		}
	}
	l.body = encodeOutcomes(list)
}

// handedOver moves what was waiting to what the holder has to record.
func (p *parts) handedOver(list []*parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range list {
		one := l.part
		if p.byID[one.id] != one {
			continue
		}
		one.k = l.k + 1
		one.sent = append(one.sent, sent{one.k, l.outcomes})
		one.waiting = one.waiting[len(l.outcomes):]
		p.waiting -= len(l.outcomes)
	}
}

// lose forgets parts that are another process's by now.
func (p *parts) lose(list []*parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range list {
		if p.byID[l.id] == l.part {
			p.drop(l.part)
		}
	}
	p.tell()
}

// handOver is the packet that does so. It begins with a write of each share, which is refused when the endpoint is ours no more, or when what
// we take for the last parcel is not: so it may be sent twice.
func handOver(list []*parcel) *packet {
	var p packet
	var rows [][]any
	for _, l := range list {
		p.add(`UPDATE share SET k = IF(epoch = ? AND member = ? AND k = ?, k + 1, NULL) WHERE endpoint = ?`, l.epoch, l.part.member, l.k, l.id)
		rows = append(rows, []any{l.id, l.epoch, l.k + 1, l.body})
	}
	p.rows(`INSERT INTO outcome(endpoint, epoch, k, body) VALUES `, ``, rows)
	return &p
}

// try hands some over. What is in doubt is sent as it was until it is known what became of it.
func (a *appender) try(ctx context.Context) (done bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.doubt) == 0 {
		a.doubt = a.parts.take()
	}
	if len(a.doubt) == 0 {
		return true, nil
	}
	err = handOver(a.doubt).send(ctx, a.pools.writes)
	switch {
	case err == nil:
		a.parts.handedOver(a.doubt)
		a.doubt = nil
	case isNumber(err, fencedBy):
		a.doubt, err = a.rest(ctx, a.doubt)
	}
	return false, err
}

// flush hands over until nothing waits. While the server cannot be written to it waits, until lost is closed. It asks no clock whether
// this process is a member still: the shares tell.
func (a *appender) flush(ctx context.Context, lost <-chan struct{}) (err error) {
	waited := false
	defer func() {
		if waited {
			a.trouble.over(err == nil)
		}
	}()
	for {
		done, err := a.try(ctx)
		switch {
		case done, err != nil && (!passes(err) || ctx.Err() != nil):
			return err
		case err == nil, isNumber(err, again...):
			continue
		}
		a.pools.avoid(err)
		a.trouble.met(err, !waited)
		waited = true
		if err := a.pause(ctx, lost); err != nil {
			return err
		}
	}
}

// pause waits before another try.
func (a *appender) pause(ctx context.Context, lost <-chan struct{}) error {
	select {
	case <-lost:
		return a.presence.held()
	default:
		return retry.Pause(ctx, retryDoubt)
	}
}

// rest finds out why parcels were refused: some are another process's by now, or all have arrived already with an answer that was
// lost. It returns those that are to be sent once more.
func (a *appender) rest(ctx context.Context, parcels []*parcel) ([]*parcel, error) {
	var ids []int64
	for _, l := range parcels {
		ids = append(ids, l.id)
	}
	shares := make(map[int64]share)
	err := each(ctx, a.pools.writes, readShares+` WHERE endpoint IN `+list(ids), nil, func(scan func(...any) error) (bool, error) {
		id, s, err := scanShare(scan)
		shares[id] = s
		return true, err
	})
	if err != nil {
		return parcels, err
	}
	var rest, arrived, lost []*parcel
	for _, l := range parcels {
		switch s := shares[l.id]; {
		case s.epoch != l.epoch || s.member != a.presence.name:
			lost = append(lost, l)
		case s.k == l.k:
			rest = append(rest, l)
		case s.k == l.k+1:
			arrived = append(arrived, l)
		default:
			return parcels, fmt.Errorf("%w: endpoint %d: %d were handed over, not %d", errHandedCount, l.id, s.k, l.k)
		}
	}
	a.parts.handedOver(arrived)
	a.parts.lose(lost)
	return rest, nil
}

var errHandedCount = errors.New("the table share is damaged")

// leave hands over what waits of an endpoint, and lets go of it.
func (a *appender) leave(ctx context.Context, lost <-chan struct{}, names ...string) error {
	if err := a.flush(ctx, lost); err != nil {
		return err
	}
	going := a.parts.named(names)
	var p packet
	for _, l := range going {
		p.add(`UPDATE share SET member = '', leaving = 0 WHERE endpoint = ? AND epoch = ? AND member = ?`, l.id, l.epoch, a.presence.name)
	}
	for len(going) > 0 {
		err := p.send(ctx, a.pools.writes)
		switch {
		case err == nil:
			a.parts.lose(going)
			return nil
		case !passes(err) || ctx.Err() != nil:
			return err
		}
		if err := a.pause(ctx, lost); err != nil {
			return err
		}
	}
	return nil
}

// named are parts by name, those that are ours, in order of endpoint, as parcels without anything in them.
func (p *parts) named(names []string) (going []*parcel) {
	for _, one := range p.all() {
		if slices.Contains(names, one.name) {
			going = append(going, &parcel{part: one, id: one.id, epoch: one.epoch})
		}
	}
	return going
}
