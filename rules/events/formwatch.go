package events

import (
	"fmt"
	"log/slog"
	"time"

	"rowhook/cdc"
	"rowhook/rules"
)

// formWatch notices, under fidelity plugin, when a site's rows change for hours and no statement has the form of the
// plugin's own. Then nothing is reported, and everything seems well: something rewrites the queries on their way, or the
// server does not log them.
type formWatch struct {
	log   *slog.Logger
	sites map[*rules.Site]*strangeForms
}

// strangeForms are the transactions of a site since the last statement in the plugin's form.
type strangeForms struct {
	last   cdc.Coord // where the last one begins
	since  time.Time // of the first one
	told   time.Time // when a person was told last; zero: not yet
	count  int
	texts  int    // those whose text the log had
	sample string // the beginning of the newest text
}

// People are told when so many transactions came in so long, and again each hour. A site where nothing but
// housekeeping happens for an evening is well.
const (
	strangeCount  = 20
	strangeFor    = 2 * time.Hour
	strangeAgain  = time.Hour
	strangeSample = 300 // bytes of a statement
)

// saw takes in a change of a transaction that was committed at some time.
func (f *formWatch) saw(site *rules.Site, c *cdc.Change, model bool, txn *cdc.Commit) {
	s := f.sites[site]
	switch {
	case model:
		delete(f.sites, site)
		return
	case s == nil:
		s = &strangeForms{since: txn.Time}
		f.sites[site] = s
	case s.last == txn.Txn.Start:
		return
	}
	s.last = txn.Txn.Start
	s.count++
	if c.Statement != "" {
		s.texts++
		s.sample = fmt.Sprintf("%.*s", strangeSample, c.Statement)
	}
	if s.count < strangeCount || txn.Time.Sub(s.since) < strangeFor || !s.told.IsZero() && txn.Time.Sub(s.told) < strangeAgain {
		return
	}
	s.told = txn.Time
	f.tell(site, s)
}

// tell says what is wrong.
func (f *formWatch) tell(site *rules.Site, s *strangeForms) {
	log := f.log.With(slog.String("site", site.Name), slog.Int("transactions", s.count), slog.Time("since", s.since))
	if s.texts == 0 {
		log.Warn("fidelity is plugin, and the log has no texts of the statements that change this site's bookings, so no webhooks are sent for them; " +
			"SET GLOBAL binlog_annotate_row_events = ON (MySQL: binlog_rows_query_log_events) and in my.cnf, and restart PHP-FPM, " +
			"or set fidelity: documented in the configuration")
		return
	}
	log.Warn("fidelity is plugin, and no statement that changes this site's bookings has the form of the plugin's own, so no webhooks are sent for them; "+
		"if the plugin is in use, look at what rewrites its queries, or set fidelity: documented in the configuration",
		slog.String("statement", s.sample))
}
