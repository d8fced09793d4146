package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc"
)

// A stopped site needs the log from where it stopped, and no server keeps that for ever. So the server is asked now and
// then how long it will, and whether it still does.

const (
	keptAgain = 5 * time.Minute // between two questions
	keptRetry = time.Minute     // after one that was not answered
)

// LogKept is how long a server keeps the log that a stopped site needs. The zero value: until somebody removes it, or
// nobody asked yet.
type LogKept struct {
	Until   time.Time `json:"kept_until,omitzero"`     // by its age it may be purged then
	AnyTime bool      `json:"any_time,omitempty"`      // the hosting purges it when it likes, or does not show when
	Limit   uint64    `json:"limit_bytes,omitempty"`   // of all files: the oldest go when they are larger
	Missing bool      `json:"purged_already,omitzero"` // it is gone
}

// KeptOf is what the standing of a site's position means for it. While a file is being written its time does not run: that
// is the least it has left.
func KeptOf(st cdc.Standing, now time.Time) LogKept {
	k := LogKept{Until: st.Until, AnyTime: st.Hidden, Limit: st.Limit}
	if k.Until.IsZero() && st.Retention > 0 {
		k.Until = now.Add(st.Retention)
	}
	return k
}

// Warning is what to know of the log that a stopped site needs, empty when nothing threatens it.
func (k LogKept) Warning(now time.Time) string {
	var all []string
	switch left := k.Until.Sub(now); {
	case k.Missing:
		return "the log that it needs is purged already: what was committed meanwhile is lost to rowhook"
	case k.AnyTime:
		all = append(all, "the hosting may purge the log that it needs at any time; rowhook check says how to have it kept")
	case k.Until.IsZero():
	case left <= 0:
		all = append(all, "the log that it needs is older than the server keeps it, and is purged when the server begins its next file")
	default:
		all = append(all, "the log that it needs is purged in about "+aboutHours(left))
	}
	if k.Limit > 0 {
		all = append(all, fmt.Sprintf("the log that it needs is purged when all files together have more than %d bytes", k.Limit))
	}
	return strings.Join(all, "; ")
}

// aboutHours is a time for a person who has to do something before it is over.
func aboutHours(d time.Duration) string {
	n, unit := int(d.Round(time.Hour)/time.Hour), "hour"
	if d < time.Hour {
		n, unit = max(1, int(d.Round(time.Minute)/time.Minute)), "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// keptQuestion is that for one site's log.
type keptQuestion struct {
	asking bool
	next   time.Time // when to ask again
	told   time.Time
}

// askKept has the server asked when it is time, and says how long nothing is to be done.
func (s *sites) askKept(ctx context.Context, g *errgroup.Group, d *detached, source func() Follower) time.Duration {
	now, q := time.Now(), &d.kept
	s.tellKept(d)
	wait := time.Hour
	if !q.told.IsZero() {
		wait = max(0, q.told.Add(tellAgain).Sub(now))
	}
	switch {
	case q.asking || d.stop.Gone:
		return wait
	case now.Before(q.next):
		return min(wait, q.next.Sub(now))
	}
	q.asking = true
	at, from := d.cursor.Position(), source()
	g.Go(func() error {
		st, err := from.Standing(ctx, at)
		select {
		case s.orders <- func() { s.keptSeen(d, st, err) }:
		case <-ctx.Done():
		}
		return nil
	})
	return wait
}

// keptSeen takes in how a site's position stands to the server's log.
func (s *sites) keptSeen(d *detached, st cdc.Standing, err error) {
	now := time.Now()
	d.kept.asking, d.kept.next = false, now.Add(keptAgain)
	if stop, ok := errors.AsType[*cdc.StopError](err); ok && stop.Gone {
		d.stop, d.dirty = d.stop.purged(stop.Reason), true
		d.told, d.kept.told = time.Time{}, time.Time{}
		s.tell(d)
		return
	}
	if err != nil { // the database is away, which its readers say
		d.kept.next = now.Add(keptRetry)
		return
	}
	if kept := KeptOf(st, now); kept != d.stop.Kept {
		d.stop.Kept, d.dirty = kept, true
	}
}

// purged is the stop of a site when the server has purged the log that it needs.
func (s Stop) purged(found string) Stop {
	if !s.Gone {
		s.Reason = fmt.Sprintf("%s; before that it was stopped because: %s", found, s.Reason)
	}
	s.Gone, s.Decide, s.Kept = true, true, LogKept{Missing: true}
	return s
}

// tellKept warns of a log that is purged, at once and then each hour.
func (s *sites) tellKept(d *detached) {
	now := time.Now()
	warning := d.stop.Kept.Warning(now)
	if warning == "" || now.Sub(d.kept.told) < tellAgain {
		return
	}
	d.kept.told = now
	s.cfg.Log.Warn("a stopped site may lose what it has not read", slog.String("site", d.site.ID()), slog.String("reason", warning),
		slog.String("fix", "let the site go on before that, or have the log kept longer: rowhook check, retention of the log"),
		slog.String("to_go_on", strings.Join(d.stop.Ways(), ", or ")))
}
