package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/printable"
	"rowhook/rules"
	"rowhook/rules/events"
)

func (d *dryRun) print(ev *rules.Event) error {
	f := api.Firing{
		Time: ev.Time, Site: ev.Site.Name, Event: ev.Action.String(), Action: ev.Action.Hook(), IDs: shownKeys(ev), Insert: ev.Insert,
		Status: ev.Status, Txn: ev.First.Txn, Unseen: ev.Action.Kind == rules.Save && ev.Row.Len() == 0,
	}
	if ev.Action.Kind == rules.Save && ev.Action.HasStatuses() && ev.Row.Len() > 0 {
		f.Status = ev.Row.Text(ev.Table.Index("status"))
	}
	for _, r := range ev.Rules {
		rule := api.FiringRule{Name: r.Name}
		if r.Shape != nil {
			v := d.trial.Verdict(ev, r)
			if !v.Fires && !v.Broken {
				continue
			}
			if rule.IfLoaded = v.Loaded; v.Broken {
				rule.Broken = v.Why
			}
		}
		if r.Undecided(ev, d.opts.Plugin) {
			rule.IfStatus = slices.Sorted(maps.Keys(r.Statuses))
		}
		f.Rules = append(f.Rules, rule)
	}
	if len(f.Rules) == 0 { // no condition holds
		return nil
	}
	d.events++
	if d.asJSON {
		return writeJSONLine(d.out, f)
	}
	_, err := fmt.Fprintln(d.out, firingLine(&f))
	return err
}

// shownKeys are the keys of an event's objects, for people and programs.
func shownKeys(ev *rules.Event) []any {
	shown := make([]any, len(ev.IDs))
	for i, key := range ev.IDs {
		if id, ok := key.Number(); ok && !ev.Action.Entity.Custom {
			shown[i] = id
		} else {
			shown[i] = string(key)
		}
	}
	return shown
}

// firingLine is an event as a line for people.
func firingLine(f *api.Firing) string {
	ids := make([]string, 0, len(f.IDs))
	for _, id := range f.IDs {
		ids = append(ids, printable.Line(fmt.Sprint(id)))
	}
	const most = 10
	if more := len(ids) - most; more > 0 {
		ids = append(ids[:most], fmt.Sprintf("and %d more", more))
	}
	var what []string
	switch {
	case f.Insert:
		what = append(what, "insert")
	case strings.HasSuffix(f.Event, "."+rules.Save.String()):
		what = append(what, "update")
	}
	if f.Unseen {
		what = append(what, "if it is still there")
	}
	if f.Status != "" {
		what = append(what, "status "+printable.Line(f.Status))
	}
	wanted := make([]string, len(f.Rules))
	for i, r := range f.Rules {
		if wanted[i] = r.Name; len(r.IfStatus) > 0 {
			wanted[i] += " (if status is " + strings.Join(r.IfStatus, " or ") + " once loaded)"
		}
		if r.IfLoaded {
			wanted[i] += " (if its when holds once loaded)"
		}
		if r.Broken != "" {
			wanted[i] += " (not posted: " + printable.Line(r.Broken) + ")"
		}
	}
	return fmt.Sprintf("%s  %-10s  %-27s  %-8s  %-16s  -> %s  [%s]",
		clock(f.Time), f.Site, f.Event, strings.Join(ids, " "), strings.Join(what, ", "), few(wanted), f.Txn)
}

// LeftOut is pipeline.ReplayTo. The daemon stops the site there; of each table that is said once.
func (d *dryRun) LeftOut(m *events.MisfitError) error {
	if d.misfits[m.Table] {
		return nil
	}
	d.misfits[m.Table] = true
	d.warned++
	if d.asJSON {
		return writeJSONLine(d.out, api.Loss{Warning: m.Error(), Site: m.Site.Name, Table: m.Table.Name})
	}
	_, err := fmt.Fprintf(d.out, "warning: %s: %s; the daemon stops there for the site\n", m.Site.Name, printable.Line(m.Error()))
	return err
}

// warn says which sites lost rows of which no event tells.
func (d *dryRun) warn(c *cdc.Commit) error {
	for _, e := range c.Emptied {
		for _, site := range d.sites {
			if !slices.Contains(d.set.Tables(site), e.Table) {
				continue
			}
			d.warned++
			l := api.Loss{
				Warning: "rows went without being logged: no deletes fire", Time: c.Time, Site: site.Name, Table: e.Table.Name, Statement: e.Statement, Txn: c.Txn.ID(),
			}
			var err error
			if d.asJSON {
				err = writeJSONLine(d.out, l)
			} else {
				_, err = fmt.Fprintf(d.out, "%s  %-10s  warning: %s of %s: %s  [%s]\n", clock(l.Time), l.Site, l.Statement, l.Table, l.Warning, l.Txn)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// summary says how much was read.
func (d *dryRun) summary(w io.Writer, whole bool) error {
	_ = d.bar.Clear() // who looks may have gone
	end := "up to"
	if !whole {
		end = "and ended early, at"
	}
	_, err := fmt.Fprintf(w, "%s, %s of %s, %s %s\n", count(d.events, "event"), count(d.warned, "warning"), count(d.txns, "transaction"), end, d.last)
	return err
}
