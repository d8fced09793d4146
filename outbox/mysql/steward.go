package mysql

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"rowhook/outbox"
	"rowhook/retry"
)

const (
	// roundAfter is how often the holder looks at what members hand over, while there are any.
	roundAfter = 25 * time.Millisecond
	// idleAfter is how often it looks whether there are some.
	idleAfter = 250 * time.Millisecond
	// maxBundles is how much of what was handed over is looked at in one round, and maxBundled how many bytes of it, about.
	maxBundles = 1000
	maxBundled = 1 << 20
)

// steward shares the endpoints out, for the holder of the lease: it alone decides who has which. In each round it looks at who
// lives, at what members let go of and at what they have handed over; and writes down what it decided and, in the same
// transaction, what became of deliveries. So whoever is given an endpoint finds there all that was handed over before.
//
// An endpoint is taken from a member that is dead by making a new epoch of it, which refuses what that one hands over from then
// on; what it handed over before is found in the next round. A living one is asked to let go of it. The holder's own ones go the
// same way, by its Terms.
type steward struct {
	cfg    *Config
	log    *slog.Logger
	pools  pools
	writer *writer
	queue  *queue
	terms  *terms
	mail   *mail
	census *census
	kicked chan struct{} // holds a token when there may be something to do at once
	wanted chan struct{} // closed when somebody better may hold the lease
	most   int           // how many bytes of what was handed over are taken at once: less after a server took not even that

	apart bool // this process delivers nothing, for tests

	mu       sync.Mutex
	who      Who
	rules    string           // its last digest: of whose endpoints others may have some
	routed   map[int64]string // endpoints to which rules go
	shares   map[int64]share
	giving   map[int64]bool      // own ones that are to go, once they are left
	asked    map[int64]time.Time // when members were asked to leave
	withheld map[int64]int       // how many want it taken back, and given to nobody
	settled  map[int64]bool      // nobody has it, and all that was handed over of it is recorded
	begun    int64               // rounds
	ended    int64
	round    chan struct{} // closed, and made anew, with the end of each
}

func newSteward(cfg *Config, log *slog.Logger, pools pools, w *writer, terms *terms, mail *mail, content *content) *steward {
	st := &steward{
		cfg: cfg, log: log, pools: pools, writer: w, queue: w.queue, terms: terms, mail: mail, census: newCensus(cfg),
		kicked: make(chan struct{}, 1), wanted: make(chan struct{}), most: maxBundled, who: cfg.Who, rules: cfg.Who.Rules, shares: make(map[int64]share), giving: make(map[int64]bool),
		asked: make(map[int64]time.Time), withheld: make(map[int64]int), settled: make(map[int64]bool), round: make(chan struct{}),
	}
	if cfg.Beside != nil {
		st.census.inherit(cfg.Beside.census)
	}
	st.route(content)
	return st
}

// open reads who has what when the lease is taken.
func (st *steward) open(ctx context.Context, db rower) error {
	err := each(ctx, db, readShares, nil, func(scan func(...any) error) (bool, error) {
		id, s, err := scanShare(scan)
		st.shares[id] = s
		return true, err
	})
	st.mu.Lock()
	defer st.mu.Unlock()
	st.tell()
	return err
}

// route takes over to which endpoints rules go.
func (st *steward) route(c *content) {
	routed := make(map[int64]string)
	for _, id := range c.routes {
		routed[id] = c.endpoints[id]
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.routed = routed
	st.tell()
}

// own tells whether an endpoint is the holder's; mu is held.
func (st *steward) own(id int64) bool {
	s, some := st.shares[id]
	return !some || s.member == st.writer.lease.owner
}

// tell makes the terms what they are now; mu is held.
func (st *steward) tell() {
	now := make(map[string]outbox.Term)
	for id, name := range st.routed {
		if st.own(id) && !st.giving[id] {
			now[name] = st.shares[id].term()
		}
	}
	st.terms.set(now)
}

// kick makes the next round begin at once.
func (st *steward) kick() {
	select {
	case st.kicked <- struct{}{}:
	default:
	}
}

// run goes round until the store is closed or its lease is lost.
func (st *steward) run(ctx context.Context) {
	var trouble retry.Trouble
	for {
		began := time.Now()
		busy, err := st.goRound(ctx)
		wait := idleAfter
		switch {
		case st.writer.usable(ctx) != nil:
			return
		case err != nil:
			if trouble.Worth(shown(err)) {
				st.log.Error("what the machines do cannot be looked at for now; rowhook waits, and goes on by itself", slog.Any("error", shown(err)))
			}
		case busy:
			wait = roundAfter
		}
		if lasted, was := trouble.Over(); err == nil && was {
			st.log.Info("what the machines do can be looked at again", slog.Duration("after", lasted.Round(time.Millisecond)))
		}
		timer := time.NewTimer(min(wait, st.cfg.lease()/20) - time.Since(began))
		select {
		case <-timer.C:
		case <-st.kicked:
		case <-st.writer.closing:
		case <-st.writer.lease.lost:
		}
		timer.Stop()
	}
}

// sight is what a round sees.
type sight struct {
	citizens []citizen
	shares   map[int64]share
	bundles  []bundle
	more     bool // there are more of those, of the last one's endpoint and of higher ones
	mail     []string
}

// look reads it. Shares come before what was handed over: of one that nobody has any more, all of that is seen. How much that is
// comes before it is read.
func (st *steward) look(ctx context.Context) (s sight, err error) {
	conn, err := st.pools.polls.Conn(ctx)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	s.shares = make(map[int64]share)
	var sizes []int
	query := readCitizens + `;` + readShares + `;` + readSizes + strconv.Itoa(maxBundles) + `;` + readMail
	err = results(ctx, conn, query, []any{st.writer.lease.owner},
		func(scan func(...any) error) error {
			c, err := scanCitizen(scan)
			s.citizens = append(s.citizens, c)
			return err
		},
		func(scan func(...any) error) error {
			id, one, err := scanShare(scan)
			s.shares[id] = one
			return err
		},
		func(scan func(...any) error) error {
			var size int
			err := scan(&size)
			sizes = append(sizes, size)
			return err
		},
		s.letter)
	if err != nil || len(sizes) == 0 {
		return s, err
	}
	n := fitting(sizes, st.most)
	err = each(ctx, conn, readBundles+strconv.Itoa(n+1), nil, func(scan func(...any) error) (bool, error) { // one more tells of those that came meanwhile
		b, err := scanBundle(scan)
		s.bundles = append(s.bundles, b)
		return true, err
	})
	if s.more = n < len(sizes) || len(sizes) == maxBundles || len(s.bundles) > n; len(s.bundles) > n {
		s.bundles = s.bundles[:n]
	}
	return s, err
}

// fitting is how many of what has these sizes are taken at once: one at least.
func fitting(sizes []int, most int) int {
	sum := 0
	for i, size := range sizes {
		if sum += size; i > 0 && sum > most {
			return i
		}
	}
	return len(sizes)
}

// all tells whether all is seen that was handed over of an endpoint.
func (s *sight) all(id int64) bool {
	return !s.more || len(s.bundles) > 0 && id < s.bundles[len(s.bundles)-1].endpoint
}

// abandoned tells whether nobody has an endpoint, and all is seen that was handed over of it before. What another node of a cluster
// shows may be older than what this process has written.
func (s *sight) abandoned(id int64, is share) bool {
	seen := s.shares[id]
	return is.member == "" && seen.member == "" && seen.epoch == is.epoch && s.all(id)
}

// letter is a row of readMail.
func (s *sight) letter(scan func(dest ...any) error) error {
	var id string
	err := scan(&id)
	s.mail = append(s.mail, id)
	return err
}

// goRound goes round once. It tells whether there are others.
func (st *steward) goRound(ctx context.Context) (busy bool, err error) {
	round := st.begin()
	before := time.Now() // who was silent until then is dead: what is seen may be late
	s, err := st.look(ctx)
	if err != nil {
		return false, err
	}
	st.mail.deliver(ctx, s.mail)
	st.census.look(s.citizens, time.Now())
	o := st.decide(&s, before)
	if !o.empty() || len(s.bundles) > 0 {
		err := st.writer.commit(ctx, &outbox.Batch{}, func(c *change) error {
			o.write(c)
			return c.apply(ctx, st.queue, s.bundles)
		})
		if errors.Is(err, outbox.ErrTooLarge) && len(s.bundles) > 1 {
			st.most = max(1, min(st.most, sizeOfAll(s.bundles))/2)
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	st.most = maxBundled
	st.tellDamaged(&s)
	st.finish(&s, o, round, before)
	return len(s.citizens) > 1 || len(s.bundles)+len(s.mail) > 0 || !o.empty(), nil
}

// tellDamaged says what could not be read of what was handed over, and is removed by now.
func (st *steward) tellDamaged(s *sight) {
	for _, b := range s.bundles {
		if b.damaged == nil {
			continue
		}
		st.mu.Lock()
		name := st.routed[b.endpoint]
		st.mu.Unlock()
		machine := ""
		if is := s.shares[b.endpoint]; is.epoch == b.epoch {
			machine = is.member
		}
		st.log.Error("what a machine delivered is not known", slog.String("endpoint", name), slog.String("machine", machine), slog.Any("error", b.damaged))
	}
}

func sizeOfAll(bundles []bundle) (n int) {
	for _, b := range bundles {
		n += b.size
	}
	return n
}

func (st *steward) begin() int64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.begun++
	return st.begun
}

// finish takes over what a round has written.
func (st *steward) finish(s *sight, o *orders, round int64, now time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for id, was := range o.fence {
		st.shares[id] = share{epoch: was.epoch + 1, turn: was.turn}
		delete(st.asked, id)
	}
	for id := range o.leave {
		if st.asked[id].IsZero() {
			st.asked[id] = now
		}
	}
	for id, one := range st.shares {
		if s.abandoned(id, one) {
			st.settled[id] = true
		}
	}
	for id, name := range o.give {
		st.shares[id] = share{member: name, epoch: o.epochs[id] + 1, turn: st.shares[id].turn}
		delete(st.giving, id)
		delete(st.asked, id)
		delete(st.settled, id)
	}
	st.ended = round
	close(st.round)
	st.round = make(chan struct{})
	st.tell()
}
