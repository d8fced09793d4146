package mysql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rowhook/outbox"
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
		if err := a.flush(ctx, a.parts.all(), ends{a.presence.lost, closing}); err != nil {
			if ctx.Err() == nil && a.presence.held() == nil && !errors.Is(err, outbox.ErrClosed) {
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

// take makes parcels of what waits, in order of endpoint. It begins with the endpoint after the last one that had its turn. What they
// have waits on until handedOver says more.
func (p *parts) take() (list []*parcel) {
	size := 0
	all := p.all()
	first := slices.IndexFunc(all, func(one *part) bool { return one.id > p.taken })
	for i := range all {
		one := all[(max(first, 0)+i)%len(all)]
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
			p.taken = one.id
		}
	}
	slices.SortFunc(list, func(a, b *parcel) int { return cmp.Compare(a.id, b.id) })
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
		one.handed += len(l.outcomes)
		p.waiting -= len(l.outcomes)
	}
}

// marks are how many outcomes of each part are handed over once all are that wait now.
func (p *parts) marks(list []*part) map[*part]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	marks := make(map[*part]int)
	for _, one := range list {
		marks[one] = one.handed + len(one.waiting)
	}
	return marks
}

// reached tells whether so many are, of those parts that are still ours.
func (p *parts) reached(marks map[*part]int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one, mark := range marks {
		if p.byID[one.id] == one && one.handed < mark {
			return false
		}
	}
	return true
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
	for _, l := range list {
		p.add(`UPDATE share SET k = IF(epoch = ? AND member = ? AND k = ?, k + 1, NULL) WHERE endpoint = ?`, l.epoch, l.part.member, l.k, l.id)
	}
	for _, l := range list { // where there is no row, as on a server that lost it, k is NULL, which is refused
		p.add(`INSERT INTO outcome(endpoint, epoch, k, body) VALUES (?, ?, (SELECT k FROM share WHERE endpoint = ?), ?)`, l.id, l.epoch, l.id, l.body)
	}
	return &p
}

// try hands some over. What is in doubt is sent as it was until it is known what became of it.
func (a *appender) try(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.doubt) == 0 {
		a.doubt = a.parts.take()
	}
	if len(a.doubt) == 0 {
		return nil
	}
	err := handOver(a.doubt).send(ctx, a.pools.writes)
	switch {
	case err == nil:
		a.parts.handedOver(a.doubt)
		a.doubt = nil
	case isNumber(err, fencedBy):
		a.doubt, err = a.rest(ctx, a.doubt)
	}
	return err
}

// ends are what ends waiting for the server: that this process is a member no more, or that it is closed. What is nil does not.
type ends struct{ lost, closing <-chan struct{} }

// flush hands over until that is done which waits now at some parts; what waits at others goes with it. While the server cannot be
// written to it waits. It asks no clock whether this process is a member still: the shares tell.
func (a *appender) flush(ctx context.Context, list []*part, until ends) (err error) {
	marks := a.parts.marks(list)
	waited, refused := false, 0
	defer func() {
		if waited {
			a.trouble.over(err == nil)
		}
	}()
	for !a.parts.reached(marks) {
		err := a.try(ctx)
		switch {
		case err == nil:
			refused = 0
			continue
		case !passes(err) || ctx.Err() != nil:
			return err
		case isNumber(err, again...) && refused < maxDeadlocks:
			refused++
			continue
		}
		a.trouble.met(err, !waited)
		waited = true
		if err := a.pause(ctx, until); err != nil {
			return err
		}
	}
	return nil
}

// pause waits before another try.
func (a *appender) pause(ctx context.Context, until ends) error {
	select {
	case <-until.lost:
		return a.presence.held()
	case <-until.closing:
		return outbox.ErrClosed
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
		case s.epoch < l.epoch || s.epoch == l.epoch && s.k < l.k: // no node lags behind, see causal
			return parcels, fmt.Errorf("%w: of endpoint %d it has %d parcels of outcomes of term %d, not %d of %d", errLostCommits, l.id, s.k, s.epoch, l.k, l.epoch)
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

var (
	// errLostCommits says that the server has less than it said. Who joins anew sends again what it has no record of.
	errLostCommits = errors.New("the server has lost commits that it had confirmed, as one may that takes its primary's place; " +
		"what it has no record of is sent again, under the same ids")
	// errOtherServer says that all that is known of the outbox may be wrong: names, numbers, whose an endpoint is.
	errOtherServer = errors.New("another server has taken the place of the outbox's, and may lack the last commits; this process joins anew there")
	errHandedCount = errors.New("the table share is damaged")
)

// leave hands over what waits of an endpoint, and lets go of it.
func (a *appender) leave(ctx context.Context, until ends, list []*part) error {
	if err := a.flush(ctx, list, until); err != nil {
		return err
	}
	going := a.parts.going(list)
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
		if err := a.pause(ctx, until); err != nil {
			return err
		}
	}
	return nil
}

// going are those of some parts that are ours still, in order of endpoint, as parcels without anything in them.
func (p *parts) going(list []*part) (going []*parcel) {
	for _, one := range p.all() {
		if slices.Contains(list, one) {
			going = append(going, &parcel{part: one, id: one.id, epoch: one.epoch})
		}
	}
	return going
}

// stay notes that parts could not be let go of.
func (p *parts) stay(list []*part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range list {
		one.left = false
	}
}

// named is the part of a name, in a list, if it is ours.
func (p *parts) named(name string) []*part {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.byName[name]; one != nil {
		return []*part{one}
	}
	return nil
}
