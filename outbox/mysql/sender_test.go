package mysql

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"rowhook/outbox"
)

// posts are what receivers got.
type posts struct {
	mu    sync.Mutex
	count map[int64]int      // by Seq
	last  map[string]int64   // by endpoint: the highest number
	wrong []string           // endpoints whose order was broken
	by    map[string][]int64 // by process
}

func newPosts() *posts {
	return &posts{count: make(map[int64]int), last: make(map[string]int64), by: make(map[string][]int64)}
}

func (p *posts) add(process, endpoint string, d *outbox.Stored) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count[d.Seq]++; p.count[d.Seq] == 1 && d.Number <= p.last[endpoint] {
		p.wrong = append(p.wrong, endpoint)
	}
	p.last[endpoint] = max(p.last[endpoint], d.Number)
	p.by[process] = append(p.by[process], d.Seq)
}

// repeated are deliveries that came more than once.
func (p *posts) repeated() (seqs []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for seq, n := range p.count {
		if n > 1 {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

func (p *posts) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.count)
}

// sender is who delivers, in small: of its endpoints it claims in order, posts, and settles.
type sender struct {
	name   string
	owner  owner
	posts  *posts
	held   func() bool
	after  map[string]int64
	terms  map[string]outbox.Term
	cancel context.CancelFunc
	ended  chan struct{}
}

// send starts a sender. It ends with the test, or by stop.
func send(t testing.TB, name string, o owner, held func() bool, p *posts) *sender {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &sender{name: name, owner: o, posts: p, held: held, after: make(map[string]int64), terms: make(map[string]outbox.Term), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for ctx.Err() == nil {
			if err := s.round(ctx); errors.Is(err, outbox.ErrFenced) || errors.Is(err, outbox.ErrClosed) {
				return
			} else if err != nil && ctx.Err() == nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
		}
	}()
	t.Cleanup(s.stop)
	return s
}

func (s *sender) stop() {
	s.cancel()
	<-s.ended
}

func (s *sender) round(ctx context.Context) error {
	terms, _ := s.owner.Terms()
	for name, term := range s.terms {
		if _, still := terms[name]; !still {
			if err := s.owner.Leave(ctx, name); err != nil {
				return err
			}
		}
		if terms[name] != term {
			delete(s.after, name)
		}
	}
	s.terms = terms
	for _, name := range slices.Sorted(maps.Keys(terms)) {
		list, err := s.owner.Claim(ctx, name, s.after[name], 16)
		if err != nil {
			return err
		}
		for _, d := range list {
			if !s.held() {
				return outbox.ErrFenced
			}
			s.posts.add(s.name, name, d)
			s.after[name] = d.Number
			if err := s.owner.Settle(context.WithoutCancel(ctx), []outbox.Outcome{{Seq: d.Seq, State: outbox.Delivered, Attempts: 1}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// recorded are how many deliveries were recorded as delivered, and how many outcomes of that kind ever were.
func recorded(t testing.TB, log outbox.Log) (rows int, ever int64) {
	t.Helper()
	counts, err := log.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if c.State == outbox.Delivered {
			rows += c.N
		}
	}
	totals, err := log.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range totals.Rules {
		ever += r.Delivered
	}
	return rows, ever
}

// wantAll waits until all of some deliveries are recorded and nothing more is to be, and checks that each was so once.
func wantAll(t testing.TB, s *Store, n int) {
	t.Helper()
	until(t, "all is delivered", func() bool {
		rows, _ := recorded(t, s)
		return rows == n
	})
	until(t, "nothing lies there", func() bool {
		var rows int
		err := s.reader.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM outcome`).Scan(&rows)
		return err == nil && rows == 0
	})
	if _, ever := recorded(t, s); ever != int64(n) {
		t.Errorf("%d outcomes were recorded of %d deliveries", ever, n)
	}
}

// memberOf is a holder, and a member that has all of its endpoints, with so many deliveries each.
func memberOf(t *testing.T, cfg Config, endpoints, each int) (*Store, *Member) {
	t.Helper()
	s := open(t, cfg)
	s.steward.apart = true
	routeMany(t, s, endpoints)
	obey(t, s)
	commitMany(t, s, endpoints, each)
	m := join(t, cfg, cfg.Who)
	until(t, "the member has all", func() bool { return len(has(m)) == endpoints })
	return s, m
}
