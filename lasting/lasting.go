// Package lasting is for what is wrong and does not get better by itself: a file that everybody may read, a rule for a site that is
// not there, a setting of the server. It is said in the log when it begins, each hour while it lasts, and once when it ended, so that
// who reads only the last hours of a log that is months long knows all that is wrong.
package lasting

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// again is how often what lasts is said once more.
const again = time.Hour

// Wrong is one thing that is wrong.
type Wrong struct {
	About    string    `json:"about"` // what it befell; there is one at a time of each topic
	Text     string    `json:"text"`  // what is wrong
	Found    string    `json:"found,omitempty"`
	Fix      string    `json:"fix,omitempty"`
	NeedsYou bool      `json:"needs_you"` // something is not delivered, or not as a person wants it
	Since    time.Time `json:"since"`

	// Told is for what says itself when it begins and when it ends: only what comes in between is said here.
	Told bool `json:"-"`
	// Unseen is for what could not be looked at: if it was wrong, it is taken to be so still; if it was not, nothing is said of it.
	Unseen bool `json:"-"`
}

// Board holds what is wrong now, by topic. Who looks after a topic says what there is; all else is the board's.
type Board struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	topics map[string][]*entry
}

// entry is a thing that is wrong, and when that was said last.
type entry struct {
	Wrong
	said  time.Time
	asked bool // it is to be said when it is found again
}

// New makes a board on which nothing is wrong.
func New(log *slog.Logger, now func() time.Time) *Board {
	return &Board{log: log, now: now, topics: map[string][]*entry{}}
}

// Found takes in that these things are wrong about a topic, and nothing else is. It says which are new, and which have ended.
func (b *Board) Found(topic string, wrongs ...Wrong) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, before := b.now(), b.topics[topic]
	var is []*entry
	for _, w := range wrongs {
		about := func(e *entry) bool { return e.About == w.About }
		if slices.ContainsFunc(is, about) {
			continue
		}
		e := &entry{Wrong: w, said: now}
		e.Since = now
		i := slices.IndexFunc(before, about)
		if w.Unseen {
			if i < 0 {
				continue
			}
			e.Wrong = before[i].Wrong
		}
		if i >= 0 {
			e.Since, e.said = before[i].Since, before[i].said
		}
		if i < 0 && !w.Told || i >= 0 && before[i].asked {
			b.say(e, now)
		}
		is = append(is, e)
	}
	b.topics[topic] = is
	for _, e := range before {
		if !e.Told && !slices.ContainsFunc(is, func(other *entry) bool { return other.About == e.About }) {
			b.log.Info("what was wrong has ended", slog.String("about", e.About), slog.String("was", e.Text), slog.Duration("after", now.Sub(e.Since).Round(time.Second)))
		}
	}
}

// Asked has everything said again when it is found next: a person has done something, and wants to hear whether it helped. What nobody
// looks for again is said each hour as before.
func (b *Board) Asked() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, list := range b.topics {
		for _, e := range list {
			e.asked = !e.Told
		}
	}
}

// Forget drops topics after which nobody looks any more here, without a word: whether they got better is not known.
func (b *Board) Forget(topics ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, topic := range topics {
		delete(b.topics, topic)
	}
}

// List is what is wrong now, the longest first.
func (b *Board) List() (all []Wrong) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, list := range b.topics {
		for _, e := range list {
			all = append(all, e.Wrong)
		}
	}
	slices.SortFunc(all, func(x, y Wrong) int {
		return cmp.Or(x.Since.Compare(y.Since), cmp.Compare(x.About, y.About), cmp.Compare(x.Text, y.Text))
	})
	return all
}

// Run says each hour what lasts, until ctx ends.
func (b *Board) Run(ctx context.Context) {
	for {
		timer := time.NewTimer(b.Repeat())
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Repeat says once more what was said an hour ago and lasts, and returns how long there is nothing to say.
func (b *Board) Repeat() (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	wait = again
	for _, list := range b.topics {
		for _, e := range list {
			if now.Sub(e.said) >= again {
				b.say(e, now)
			}
			wait = min(wait, again-now.Sub(e.said))
		}
	}
	return wait
}

// say says what is wrong.
func (b *Board) say(e *entry, now time.Time) {
	e.said, e.asked = now, false
	args := []any{slog.String("about", e.About)}
	if e.Found != "" {
		args = append(args, slog.String("found", e.Found))
	}
	if e.Fix != "" {
		args = append(args, slog.String("fix", e.Fix))
	}
	if e.Since.Before(now) {
		args = append(args, slog.Time("since", e.Since))
	}
	say := b.log.Warn
	if e.NeedsYou {
		say = b.log.Error
	}
	say(e.Text, args...)
}
