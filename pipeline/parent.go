package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/loader"
	"rowhook/rules"
	"rowhook/rules/events"
)

// Where the log shows a part of a row only, the database is asked for the order that it belongs to. The answer is needed
// before the row's transaction is applied, for no later event of the site may come first. The others do not wait for it:
// a site whose answer takes long is detached, and goes on from there when it is known.

const (
	// ownerGrace is for how long all sites wait for the answers that a transaction needs, once: a second reading costs more
	// than a moment, and a busy server is no broken one. One that refuses is not waited for.
	ownerGrace       = time.Second
	ownersAtOnce     = 256
	firstOwnerWait   = 100 * time.Millisecond
	longestOwnerWait = 30 * time.Second
)

// owners are the questions of one site.
type owners struct {
	open   []events.Question             // in their order
	known  map[events.Question]rules.Key // empty: not yet
	gone   map[events.Question]bool      // there is no such part any more
	since  time.Time                     // the first of the open ones was put
	asking bool                          // a goroutine is on its way
	wait   time.Duration
	retry  time.Time
	err    error // why there is no answer
}

// ownersBack is what a goroutine found out of the first questions.
type ownersBack struct {
	site   *rules.Site
	orders []rules.Key
	found  []bool
	err    error
}

// questions are those of all sites. The loop owns them; a goroutine a site asks the database.
type questions struct {
	loader  *loader.Loader
	log     *slog.Logger
	sites   map[*rules.Site]*owners // those that are open, or answered and still needed
	answers chan ownersBack
}

func newQuestions(l *loader.Loader, log *slog.Logger) *questions {
	return &questions{loader: l, log: log, sites: map[*rules.Site]*owners{}, answers: make(chan ownersBack)}
}

// put puts a question, once.
func (a *questions) put(q events.Question) {
	o := a.sites[q.Site]
	if o == nil {
		o = &owners{known: map[events.Question]rules.Key{}, gone: map[events.Question]bool{}}
		a.sites[q.Site] = o
	}
	if _, ok := o.known[q]; ok || o.gone[q] {
		return
	}
	if len(o.open) == 0 {
		o.since = time.Now()
	}
	o.known[q] = "" // not twice
	o.open = append(o.open, q)
}

// open says whether a site has questions that nobody answered.
func (a *questions) open(site *rules.Site) bool {
	o := a.sites[site]
	return o != nil && len(o.open) > 0
}

// refused is why the database does not answer the questions of a site; empty when it does, or is about to.
func (a *questions) refused(site *rules.Site) string {
	if o := a.sites[site]; o != nil && o.err != nil {
		return o.reason()
	}
	return ""
}

// answer is events.Owner: what was answered.
func (a *questions) answer(q events.Question) (rules.Key, bool) {
	o := a.sites[q.Site]
	if o == nil || o.gone[q] {
		return "", false
	}
	order, ok := o.known[q]
	return order, ok
}

func (o *owners) reason() string {
	if o.err != nil {
		return "the log does not tell whose row it is, and asking failed: " + o.err.Error()
	}
	return "the log does not tell whose row it is, and the database is slow to answer"
}

// ask has the questions asked, each site's by a goroutine of its own, and says how long nothing is to be done. Nobody but
// themselves waits for sites that are on their own.
func (a *questions) ask(ctx context.Context, g *errgroup.Group, onOwn map[*rules.Site]*detached) time.Duration {
	wait, now := time.Hour, time.Now()
	for site, o := range a.sites {
		switch {
		case len(o.open) == 0:
			continue
		case o.asking:
		case now.Before(o.retry):
			wait = min(wait, o.retry.Sub(now))
		default:
			o.asking = true
			questions := o.open[:min(len(o.open), ownersAtOnce)]
			g.Go(func() error {
				back := a.find(ctx, site, questions)
				select {
				case a.answers <- back:
				case <-ctx.Done():
				}
				return nil
			})
		}
		if onOwn[site] == nil {
			wait = min(wait, max(0, o.since.Add(ownerGrace).Sub(now)))
		}
	}
	return wait
}

func (a *questions) find(ctx context.Context, site *rules.Site, questions []events.Question) ownersBack {
	back := ownersBack{site: site}
	for _, q := range questions {
		order, found, err := a.loader.Owner(ctx, q.Table, q.Column, q.Part)
		if err != nil {
			back.err = err
			break
		}
		back.orders, back.found = append(back.orders, order), append(back.found, found)
	}
	return back
}

// take takes in what a goroutine found out. It returns why a site waits on, empty when nothing new is known of that.
func (a *questions) take(b ownersBack) (reason string) {
	o := a.sites[b.site]
	o.asking = false
	for i, q := range o.open[:len(b.orders)] {
		if b.found[i] {
			o.known[q] = b.orders[i]
		} else {
			delete(o.known, q)
			o.gone[q] = true
		}
	}
	o.open = o.open[len(b.orders):]
	switch {
	case b.err == nil:
		o.wait, o.err = 0, nil
	case !errors.Is(b.err, context.Canceled):
		o.wait = min(max(firstOwnerWait, 2*o.wait), longestOwnerWait)
		o.retry = time.Now().Add(o.wait)
		if o.err == nil {
			a.log.Warn("the log does not tell whose row it is, and asking failed, trying again", slog.String("site", b.site.Name), slog.Any("error", b.err))
		}
		o.err = b.err
		return o.reason()
	}
	return ""
}

// forget forgets what was answered for transactions of some sites that are applied.
func (a *questions) forget(applied func(*rules.Site) bool) {
	for site, o := range a.sites {
		if len(o.open) == 0 && !o.asking && applied(site) {
			delete(a.sites, site)
		}
	}
}

// awaitsOwners says whether the transaction that all sites are at must wait for an answer a moment longer. Sites whose
// answer takes longer are detached.
func (s *sites) awaitsOwners() bool {
	for site, o := range s.questions.sites {
		if len(o.open) == 0 || s.detached[site] != nil {
			continue
		}
		if o.err == nil && time.Since(o.since) < ownerGrace {
			return true
		}
		d := s.detach(site, Stop{Reason: o.reason(), Fix: "see that user rowhook may SELECT, or set binlog_row_image = FULL, with which nothing is asked"})
		d.retry = time.Time{}
	}
	return false
}

// answered takes in what became known of owners.
func (s *sites) answered(b ownersBack) {
	reason := s.questions.take(b)
	if d := s.detached[b.site]; d != nil && d.stop.Table == "" && reason != "" {
		d.stop.Reason, d.dirty = reason, true
	}
}
