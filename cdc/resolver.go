package cdc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
)

// What tables are is known from the history. Where that says nothing, the server is asked. It tells what a table is now,
// not what it was when a row was logged; the two are the same if no statement in between, in the log, may have changed
// the table. So every answer comes with the log's end as it was after the answer, and counts only where the log up to
// that end was looked at: by reading on to it, or, when a row needs the answer at once, by reading it ahead.

// resolver finds out what the tables of one connection's log are, at the place that the reader has come to.
type resolver struct {
	ctx     context.Context //nolint:containedctx // the connection's, as the reader's
	src     *Source
	at      *place
	skips   func(TableName) bool // whose rows are passed over for now
	tables  *schema.TableCache   // those that were announced
	history *schema.History
	answer  *answer // the server's, that counts when the log was read up to its end; nil: none
	stale   bool    // the server is to be asked what became of a table
}

func newResolver(ctx context.Context, s *Source, at *place, skips func(TableName) bool) *resolver {
	r := &resolver{ctx: ctx, src: s, at: at, skips: skips, history: schema.NewHistory(s.watched().names)}
	r.tables = schema.NewTableCache(s.watched().names, r.layOut, skips)
	return r
}

// answer is what the server says that tables are, and the log's end when it had said so.
type answer struct {
	is  map[TableName]*ddl.Definition
	not map[TableName]error // what the server says of those in place of it
	all bool                // it was asked for all tables
	end End
}

// alteredError is a table whose columns are not known at a place of the log, and that was altered behind it.
type alteredError struct{ found sighting }

func (e *alteredError) Error() string {
	return fmt.Sprintf("its columns at this place of the log are not known, and it was altered later, at %s, by %.200q", e.found.at, e.found.text)
}

// askedAtOnce is how many tables the server is asked for at a time: of hundreds of sites there are thousands.
const askedAtOnce = 4

// askServer asks what tables are. What it does not get of one table is no trouble of the others: it is asked for again when
// rows of that table come.
func (r *resolver) askServer(names []TableName) (*answer, error) {
	a := &answer{is: map[TableName]*ddl.Definition{}, not: map[TableName]error{}}
	var mu sync.Mutex // of what follows, and of a
	var failed error
	locked := 0
	take := func(t TableName, is *ddl.Definition, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			a.is[t] = is
		case schema.IsOfTable(err):
			a.not[t] = err
			if schema.IsLocked(err) {
				locked++
			}
		case failed == nil:
			failed = fmt.Errorf("table %s: %w", t, err)
		}
	}
	enough := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return failed != nil || locked >= schema.MostLocked
	}
	var asking errgroup.Group
	asking.SetLimit(askedAtOnce)
	for _, t := range names {
		if enough() {
			break
		}
		asking.Go(func() error {
			is, err := r.src.tables().Define(r.ctx, t)
			take(t, is, err)
			return nil
		})
	}
	_ = asking.Wait() // what failed is in failed
	if failed != nil {
		return nil, failed
	}
	var err error
	if a.end, err = r.src.End(r.ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", schema.ErrAsking, err)
	}
	return a, nil
}

// Tables is what the watched tables are at a position where the log ended a moment ago, for the commit that stores it as the first.
// It is empty where nobody can tell, because the log has gone on meanwhile or the server does not say: then who reads on finds out.
func (s *Source) Tables(ctx context.Context, p Position) []SchemaRecord {
	h := schema.NewHistory(s.watched().names)
	r := &resolver{ctx: ctx, src: s}
	a, err := r.askServer(h.All())
	if err != nil || a.end.Coord != p.Start {
		return nil
	}
	for t, is := range a.is {
		h.Learn(t, is)
	}
	s.asked.compared.Store(true)
	return h.Commit()
}

// takeUp makes h the history of a new connection, and asks for what it lacks; the first time for all, to compare.
func (r *resolver) takeUp(h *schema.History) error {
	h.Abandon()
	r.history = h
	names, all := h.Unknown(), false
	if !h.Compared && !r.src.asked.compared.Load() {
		names, all = h.All(), true
	}
	if len(names) == 0 {
		return nil
	}
	err := r.refresh(names)
	if err == nil {
		r.answer.all = all
	}
	return err
}

// refresh asks what tables are, for when the log was read up to its present end. What an earlier answer said, and no
// statement has touched since, is as good then.
func (r *resolver) refresh(names []TableName) error {
	a, err := r.askServer(names)
	if err != nil {
		return err
	}
	if r.answer != nil {
		a.all = r.answer.all
		for t, is := range r.answer.is {
			if a.is[t] == nil {
				a.is[t] = is
			}
		}
	}
	r.answer, r.stale = a, false
	return nil
}

// settle takes the server's answer in when the log was read up to its end, and asks again for what was touched
// meanwhile.
func (r *resolver) settle() error {
	if r.answer != nil {
		if !r.at.tracker.Reached(r.answer.end, r.at.seen) {
			return nil
		}
		for t, is := range r.answer.is {
			r.adopt(t, is)
		}
		if r.answer.all {
			r.history.Compared = true
			r.src.asked.compared.Store(true)
		}
		r.answer = nil
	}
	if !r.stale {
		return nil
	}
	if err := r.refresh(r.history.Unknown()); err != nil || !r.at.tracker.Reached(r.answer.end, r.at.seen) {
		return err
	}
	return r.settle()
}

// adopt takes in what a table is by the server's word.
func (r *resolver) adopt(t TableName, is *ddl.Definition) {
	if was := r.history.Get(t); was != nil && was != ddl.Gone {
		difference := was.Difference(is)
		if difference == "" && !was.Vague() {
			return
		}
		if difference != "" {
			r.log().Warn("a table is not what the log made of it; from here on it is read as the server says it is",
				slog.String("table", t.String()), slog.String("difference", difference))
			r.tables.ForgetSchema()
		}
	}
	r.history.Learn(t, is)
}

// known finds what the table of a table map was when its rows were logged.
func (r *resolver) known(t TableName, m *rowcodec.TableMap) (*ddl.Definition, *rowcodec.Layout, error) {
	var misfit error
	if is := r.history.Get(t); is != nil && is != ddl.Gone && (!is.VagueColumns() || m.Collations != nil) {
		m.Hashes = is.Hashes
		l, err := rowcodec.NewLayout(m, schema.WithPeriod(is))
		if _, unreadable := errors.AsType[*rowcodec.UndecodableError](err); err == nil || unreadable {
			return is, l, err
		}
		misfit = err
	}
	is, err := r.prove(t)
	if errors.Is(err, schema.ErrAsking) || schema.IsLocked(err) || misfit == nil && err != nil {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, errors.Join(misfit, err)
	}
	m.Hashes = is.Hashes
	l, err := rowcodec.NewLayout(m, schema.WithPeriod(is))
	if err != nil {
		return nil, nil, err
	}
	if misfit != nil {
		r.log().Warn("a table is not what the log made of it, it was altered without a word in the log; from here on it is read as the server says it is",
			slog.String("table", t.String()), slog.Any("difference", misfit))
	}
	r.history.Learn(t, is)
	return is, l, nil
}

// supposed is what a table is by all that is said of it, without proof; nil when nothing is. It is for advice.
func (r *resolver) supposed(t TableName) *ddl.Definition {
	if is := r.history.Get(t); is != nil || r.answer == nil {
		return is
	}
	return r.answer.is[t]
}

// prove asks the server what a table is, and reads the log ahead to see that it was the same here.
func (r *resolver) prove(t TableName) (*ddl.Definition, error) {
	a := r.answer
	if a == nil || a.is[t] == nil {
		others := slices.DeleteFunc(r.history.Unknown(), func(o TableName) bool { return o == t || r.skips(o) })
		var err error
		if a, err = r.askServer(slices.Concat([]TableName{t}, others)); err != nil {
			return nil, err
		}
		if err := a.not[t]; schema.IsLocked(err) {
			return nil, err
		}
		if a.is[t] == nil { // the log ahead may tell why
			a.is[t] = nil
		}
	}
	found, err := r.lookAhead(a)
	if err != nil {
		return nil, err
	}
	if s, ok := found[t]; ok {
		return nil, &alteredError{s}
	}
	for other, is := range a.is { // one look serves all
		if _, touched := found[other]; !touched && other != t && is != nil && r.history.Get(other) == nil {
			r.history.Learn(other, is)
		}
	}
	if a.is[t] == nil {
		return nil, cmp.Or(a.not[t], schema.ErrNoTable)
	}
	return a.is[t], nil
}

// ddl takes in a statement that may have changed tables, and returns those that it created. What it costs depends on the
// statement, not on how many tables are watched.
func (r *resolver) ddl(q *schema.Statement) (created []TableName) {
	r.tables.ForgetSchema()
	ops, ok := q.Ops()
	var touched []TableName
	if ok {
		touched = schema.TouchedBy(ops, r.history.In)
		created = r.apply(q, ops)
	} else {
		touched = r.history.MayTouch(q)
		r.forgetTables(q, touched)
	}
	for _, t := range touched {
		if !r.history.IsWatched(t) {
			continue
		}
		if r.answer != nil {
			delete(r.answer.is, t)
		}
		if is := r.history.Get(t); is == nil || is.Vague() {
			r.stale = true
		}
	}
	return created
}

// apply moves the history on by what a statement does.
func (r *resolver) apply(q *schema.Statement, ops []ddl.Op) (created []TableName) {
	for i := range ops {
		if r.history.Creates(&ops[i]) {
			created = append(created, ops[i].Table)
		}
		if err := r.history.Apply(&ops[i]); err != nil {
			r.log().Warn("a statement does not go with what is known of its table; the server is asked",
				slog.Any("error", err), slog.String("statement", q.Shown()))
		}
	}
	return created
}

// forgetTables makes tables unknown that a statement may have changed nobody knows how.
func (r *resolver) forgetTables(q *schema.Statement, tables []TableName) {
	for _, t := range tables {
		if r.history.Get(t) != nil {
			r.log().Info("a statement is not understood; the server is asked what it made of the table",
				slog.String("table", t.String()), slog.String("statement", q.Shown()))
			r.history.Set(t, nil)
		}
	}
}

// doubt forgets what the transaction that is being read made of tables: it was rolled back, which DDL cannot be.
func (r *resolver) doubt() {
	if r.history.Doubt() {
		r.stale = true
	}
}

// watch takes over other tables between two transactions. What they are is found out as of any table that nothing is known
// of: from the log, or by the server's word and a look at the log up to it.
func (r *resolver) watch(names map[string]map[string]bool) {
	r.tables.Watch(names)
	r.history.Watch(names)
	r.stale = true
}

func (r *resolver) log() *slog.Logger { return r.src.logAt(r.at.seen) }
