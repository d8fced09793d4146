package mysql

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"rowhook/dbtest"
)

// process is one in TestComeAndGo.
type process struct {
	s    *Store
	m    *Member
	send *sender
}

// die stops a process as a crash does. It tells how many of its outcomes nobody knows of.
func (p process) die(t *testing.T) (unknown int) {
	t.Helper()
	if p.m != nil {
		p.m.stop()
		p.m.handing.Wait()
		p.send.stop()
		p.m.parts.mu.Lock()
		defer p.m.parts.mu.Unlock()
		return p.m.parts.waiting
	}
	p.s.stop()
	p.s.flushing.Wait()
	p.send.stop()
	return len(p.s.queue.outcomes())
}

// end stops a process as it should be.
func (p process) end(t *testing.T) {
	t.Helper()
	p.send.stop()
	var err error
	if p.m != nil {
		err = p.m.Close()
	} else {
		err = p.s.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

// TestComeAndGo: processes come, go, and die at random, the holder too, while deliveries are committed. All are recorded once, each
// endpoint's in order, and no more are sent twice than nobody knew of when a process died.
func TestComeAndGo(t *testing.T) {
	t.Parallel()
	const endpoints, each, steps = 12, 20, 10
	cfg := config(serve(t), "outbox")
	cfg.Lease = brief
	random := rand.New(rand.NewPCG(dbtest.Seed(t), 4))
	p := newPosts()
	names := 0
	start := func(s *Store, m *Member) process {
		names++
		if s != nil {
			return process{s: s, send: send(t, fmt.Sprint("holder", names), s, s.Held, p)}
		}
		return process{m: m, send: send(t, fmt.Sprint("member", names), m, m.Held, p)}
	}
	s := open(t, cfg)
	routeMany(t, s, endpoints)
	holder := start(s, nil)
	var members []process
	unknown, starved := 0, false
	for step := range steps {
		members = slices.DeleteFunc(members, func(one process) bool {
			starved = starved || !one.m.Held() // a machine this busy did not let it renew its lease in time
			return !one.m.Held()
		})
		var committing errgroup.Group
		committing.Go(func() error { commitMany(t, holder.s, endpoints, each); return nil })
		for len(members) < 3 {
			members = append(members, start(nil, join(t, cfg, cfg.Who)))
		}
		if err := committing.Wait(); err != nil {
			t.Fatal(err)
		}
		before := p.len()
		until(t, "some are sent", func() bool { return p.len() > before+random.IntN(endpoints*each) || p.len() == endpoints*each*(step+1) })
		victim := random.IntN(len(members))
		switch random.IntN(4) {
		case 0:
			members[victim].end(t)
			members = append(members[:victim], members[victim+1:]...)
		case 1:
			unknown += members[victim].die(t)
			members = append(members[:victim], members[victim+1:]...)
		case 2:
			holder.end(t)
			holder = start(open(t, cfg), nil)
		default:
			unknown += holder.die(t)
			holder = start(open(t, cfg), nil)
		}
	}
	wantAll(t, holder.s, endpoints*each*steps)
	again := 0
	for _, seq := range p.repeated() {
		again += p.count[seq] - 1
	}
	if again > unknown && !starved || len(p.wrong) > 0 {
		t.Errorf("%d were sent once more, of %d that nobody knew of; out of order were %v", again, unknown, p.wrong)
	}
	t.Logf("%d were sent once more, of %d that nobody knew of", again, unknown)
}
