//go:build crash

package crash

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// findings are what is wrong with what was received, each with its own number. Repeats are allowed: delivery is at least
// once, and a receiver that remembers ids sees each event once.
type findings struct {
	lost       int // changes, or last states, that no id brought
	changed    int // changes that came under a second id
	reused     int // ids that came with two bodies
	swallowed  int // changes that only came under an id that had been accepted with another body
	disordered int // first receipts that came after a later change of the same object to the same endpoint
	late       int // those of them whose lower sequence tells that, so that receivers drop them: only around a takeover
	// misnumbered are first receipts whose sequence is below that of an earlier change: receivers would drop them.
	misnumbered int
	invented    int // receipts of what was never committed
	shadow      int // rows of the rebuilt tables that are not as in the database
	repeats     int
	examples    []string
}

func (f *findings) note(format string, args ...any) {
	if len(f.examples) < 20 {
		f.examples = append(f.examples, fmt.Sprintf(format, args...))
	}
}

// wrong says whether anything is.
func (f *findings) wrong() bool {
	return f.lost+f.changed+f.reused+f.swallowed+f.disordered+f.misnumbered+f.invented+f.shadow > 0
}

func (f *findings) String() string {
	s := fmt.Sprintf("%d lost, %d under a second id, %d ids with two bodies, %d swallowed, %d out of order, %d late, %d misnumbered, %d invented, %d shadow rows differ, %d repeats",
		f.lost, f.changed, f.reused, f.swallowed, f.disordered, f.late, f.misnumbered, f.invented, f.shadow, f.repeats)
	return strings.Join(append([]string{s}, f.examples...), "\n    ")
}

func (f *findings) add(o *findings) {
	f.lost += o.lost
	f.changed += o.changed
	f.reused += o.reused
	f.swallowed += o.swallowed
	f.disordered += o.disordered
	f.late += o.late
	f.misnumbered += o.misnumbered
	f.invented += o.invented
	f.shadow += o.shadow
	f.repeats += o.repeats
	f.examples = append(f.examples, o.examples...)
}

// judge holds what a receiver took against the journal. With exact, nothing may have been merged: every step is a
// delivery of its own for each rule. Nobody may be writing.
func judge(objects []*object, l *ledger, mirror, exact bool) *findings {
	var own []rule
	for _, r := range rules {
		if r.mirror == mirror {
			own = append(own, r)
		}
	}
	return judgeRules(own, objects, l, exact)
}

func judgeRules(own []rule, objects []*object, l *ledger, exact bool) *findings {
	f := &findings{reused: l.reused, repeats: l.repeats}
	known := map[key]bool{}
	for _, o := range objects {
		known[o.key] = true
		got := l.order[o.key]
		for _, r := range own {
			if r.entity == o.entity {
				f.complete(o, r, got, l, exact)
			}
		}
		f.ordered(o, got, l, exact)
	}
	for k, got := range l.order {
		if !known[k] {
			f.invented += len(got)
			f.note("%s: %d receipts of what nobody wrote", k, len(got))
		}
	}
	return f
}

// complete checks that each step came for a rule, once; without exact, those that nothing may be merged into.
func (f *findings) complete(o *object, r rule, got []receipt, l *ledger, exact bool) {
	count := map[int64]int{}
	for _, g := range got {
		if g.rule == r.name {
			count[g.n]++
		}
	}
	if r.kind == gone { // a delete shows no number
		f.completeDeletes(o, r, count[0])
		return
	}
	rows := o.rows()
	for _, s := range o.steps {
		if s.kind != r.kind {
			continue
		}
		n := count[s.n]
		delete(count, s.n)
		at := slices.Index(rows, s)
		last := r.kind == status || at == len(rows)-1 || rows[at+1].kind == gone // later saves may have taken it in
		switch {
		case n == 0 && (exact || last):
			if l.hidden[hiddenKey{r.name, o.key, s.n}] {
				f.swallowed++
				f.note("%s: %s: change %d came only under an id that was accepted with another", o.key, r.name, s.n)
			} else {
				f.lost++
				f.note("%s: %s: change %d was not received", o.key, r.name, s.n)
			}
		case n > 1:
			f.changed += n - 1
			f.note("%s: %s: change %d came under %d ids", o.key, r.name, s.n, n)
		}
	}
	for n, times := range count {
		f.invented += times
		f.note("%s: %s: change %d was never committed", o.key, r.name, n)
	}
}

func (f *findings) completeDeletes(o *object, r rule, got int) {
	want := 0
	for _, s := range o.steps {
		if s.kind == gone {
			want++
		}
	}
	if got < want {
		f.lost += want - got
		f.note("%s: %s: %d of %d deletes were received", o.key, r.name, got, want)
	}
	if got > want {
		f.changed += got - want
		f.note("%s: %s: %d deletes were received of %d", o.key, r.name, got, want)
	}
}

// ordered checks that the first receipts about an object are in commit order. Without exact a save may have taken in
// later saves, and then stands before a status that is older than those: but nothing overtakes a delete, and no save a
// status that is younger. What went to a URL that was paused meanwhile may be passed by what went to others.
func (f *findings) ordered(o *object, got []receipt, l *ledger, exact bool) {
	place := make(map[step]int, len(o.steps))
	var deletes []int
	for i, s := range o.steps {
		place[s] = i
		if s.kind == gone {
			deletes = append(deletes, i)
		}
	}
	seen := map[string]int{}  // deletes, by rule
	newest, barrier := -1, -1 // of all receipts so far; of those that no status may be older than
	places := make([]int, len(got))
	for i, g := range got {
		at, ok := place[step{g.kind, g.n}]
		if g.kind == gone {
			if ok = seen[g.rule] < len(deletes); ok {
				at = deletes[seen[g.rule]]
			}
			seen[g.rule]++
		}
		if places[i] = at; !ok {
			places[i] = -1
			continue // counted already
		}
		least := newest
		if g.kind == status && !exact {
			least = barrier
		}
		first := int64(math.MaxInt64) // the lowest sequence of what passed it
		if at < least {
			least = -1 // but for what may have passed it
			for j, before := range got[:i] {
				if (g.kind != status || exact || before.kind != save) && !l.mayPass(before, g.rule) {
					least = max(least, places[j])
					if places[j] > at {
						first = min(first, before.seq)
					}
				}
			}
		}
		switch {
		case at < least && g.seq > 0 && g.seq < first:
			f.late++
			f.note("%s: %s came with step %d %v, sequence %d, late: behind step %d %v", o.key, g.rule, at, o.steps[at], g.seq, least, o.steps[least])
		case at < least:
			f.disordered++
			f.note("%s: %s came with step %d %v, sequence %d, behind step %d %v", o.key, g.rule, at, o.steps[at], g.seq, least, o.steps[least])
		case exact && numberBefore(got[:i], places, at) > g.seq:
			f.misnumbered++
			f.note("%s: %s came with step %d %v under the sequence %d, an earlier step under %d", o.key, g.rule, at, o.steps[at], g.seq, numberBefore(got[:i], places, at))
		}
		newest = max(newest, at)
		if g.kind != save || exact {
			barrier = max(barrier, at)
		}
	}
}

// numberBefore is the highest sequence of what came of steps before one.
func numberBefore(got []receipt, places []int, at int) (highest int64) {
	for j, before := range got {
		if places[j] < at {
			highest = max(highest, before.seq)
		}
	}
	return highest
}
