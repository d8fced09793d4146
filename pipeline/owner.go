package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/rules"
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
	open   []rules.Question             // in their order
	known  map[rules.Question]rules.Key // empty: not yet
	gone   map[rules.Question]bool      // there is no such part any more
	since  time.Time                    // the first of the open ones was put
	asking bool                         // a goroutine is on its way
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

// ask puts a question, once.
func (p *Pipeline) ask(q rules.Question) {
	o := p.owners[q.Site]
	if o == nil {
		o = &owners{known: map[rules.Question]rules.Key{}, gone: map[rules.Question]bool{}}
		p.owners[q.Site] = o
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

// unanswered says whether a site has questions that nobody answered.
func (p *Pipeline) unanswered(site *rules.Site) bool {
	o := p.owners[site]
	return o != nil && len(o.open) > 0
}

// ownerOf is rules.Owner: what was answered.
func (p *Pipeline) ownerOf(q rules.Question) (rules.Key, bool) {
	o := p.owners[q.Site]
	if o == nil || o.gone[q] {
		return "", false
	}
	order, ok := o.known[q]
	return order, ok
}

// awaitsOwners says whether the transaction that all sites are at must wait for an answer a moment longer. Sites whose
// answer takes longer are detached.
func (p *Pipeline) awaitsOwners() (bool, error) {
	for site, o := range p.owners {
		if len(o.open) == 0 || p.sites.detached[site] != nil {
			continue
		}
		if o.err == nil && time.Since(o.since) < ownerGrace {
			return true, nil
		}
		d, err := p.detach(site, Stop{Reason: o.reason(), Fix: "see that user rowhook may SELECT, or set binlog_row_image = FULL, with which nothing is asked"})
		if err != nil {
			return false, err
		}
		d.retry = time.Time{}
	}
	return false, nil
}

func (o *owners) reason() string {
	if o.err != nil {
		return "the log does not tell whose row it is, and asking failed: " + o.err.Error()
	}
	return "the log does not tell whose row it is, and the database is slow to answer"
}

// askOwners has the questions asked, each site's by a goroutine of its own, and says how long nothing is to be done.
func (p *Pipeline) askOwners(ctx context.Context, g *errgroup.Group) time.Duration {
	wait, now := time.Hour, time.Now()
	for site, o := range p.owners {
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
				back := p.findOwners(ctx, site, questions)
				select {
				case p.owned <- back:
				case <-ctx.Done():
				}
				return nil
			})
		}
		if p.sites.detached[site] == nil {
			wait = min(wait, max(0, o.since.Add(ownerGrace).Sub(now)))
		}
	}
	return wait
}

func (p *Pipeline) findOwners(ctx context.Context, site *rules.Site, questions []rules.Question) ownersBack {
	back := ownersBack{site: site}
	for _, q := range questions {
		order, found, err := p.cfg.Loader.Owner(ctx, q.Table, q.Column, q.Part)
		if err != nil {
			back.err = err
			break
		}
		back.orders, back.found = append(back.orders, order), append(back.found, found)
	}
	return back
}

// answered takes in what a goroutine found out.
func (p *Pipeline) answered(b ownersBack) {
	o := p.owners[b.site]
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
			p.cfg.Log.Warn("the log does not tell whose row it is, and asking failed, trying again", slog.String("site", b.site.Name), slog.Any("error", b.err))
		}
		o.err = b.err
		if d := p.sites.detached[b.site]; d != nil && d.stop.Table == "" {
			d.stop.Reason, d.dirty = o.reason(), true
		}
	}
}

// forgetOwners forgets what was answered for transactions that are applied.
func (p *Pipeline) forgetOwners(r *reading) {
	for site, o := range p.owners {
		if len(o.open) == 0 && !o.asking && p.engineOf(site) == r.engine {
			delete(p.owners, site)
		}
	}
}
