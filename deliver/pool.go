package deliver

import (
	"context"
	"slices"
	"sync"
	"time"

	"rowhook/deliver/post"
)

// poster makes one request at a time; a *post.Sender.
type poster interface {
	Post(ctx context.Context, stop <-chan struct{}, t *post.Target, m *post.Message, tries int) post.Result
	Close()
}

// idleTime is how long a sender without work is kept, and its connections.
const idleTime = 90 * time.Second

// sender makes requests, one after the other, over connections of its own.
type sender struct {
	poster
	message post.Message
	result  post.Result   // what posting it came to
	work    chan struct{} // holds a token when it is called
	called  bool          // it is to look for work
}

// pool is an endpoint's senders: started when there is work, ended when there was none for long. They take what they post
// themselves. The endpoint's mu guards it, which a sender takes to look for work and holds neither while it posts nor while it
// waits.
type pool struct {
	most    int // senders
	poster  func() poster
	take    func(time.Time) (*item, *target) // what a sender is to post now, nil: nothing; mu is held
	deliver func(*sender, *item, *target)    // posts it; mu is not held
	quit    chan struct{}                    // closed when all are to end
	running sync.WaitGroup

	mu      *sync.Mutex // the endpoint's
	started int         // those that have not ended
	idle    []*sender   // those without work, the one that had some last at the end
	called  int         // those that were woken or started and did not look for work yet
}

// call makes senders look for work until so many do: first those that had some last, whose connections are the freshest.
// When all are busy they look for more by themselves. mu is held.
func (p *pool) call(n int) {
	for p.called < n {
		last := len(p.idle) - 1
		switch {
		case last >= 0:
			s := p.idle[last]
			p.idle = p.idle[:last]
			s.work <- struct{}{} // has room
		case p.started < p.most:
			p.started++
			p.running.Go(func() {
				s := &sender{poster: p.poster(), work: make(chan struct{}, 1), called: true}
				defer s.Close()
				p.work(s)
			})
		default:
			return
		}
		p.called++
	}
}

// work posts what there is until there was nothing for long, or all are to end.
func (p *pool) work(s *sender) {
	for {
		p.mu.Lock()
		if s.called {
			p.called--
			s.called = false
		}
		it, t := p.take(time.Now())
		if it == nil {
			p.idle = append(p.idle, s)
		}
		p.mu.Unlock()
		if it != nil {
			p.deliver(s, it, t)
		} else if !p.wait(s) {
			return
		}
	}
}

// wait waits until an idle sender is called. It returns false when it is to end: there was no work for long, or all are to.
func (p *pool) wait(s *sender) bool {
	idle := time.NewTimer(idleTime)
	defer idle.Stop()
	select {
	case <-s.work:
	case <-idle.C:
	case <-p.quit:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.idle, s); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.started--
		return false
	}
	select {
	case <-s.work: // it was called at the last moment
	default:
	}
	s.called = true
	return true
}
