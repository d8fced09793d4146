package ddl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The server alters the columns of a table in two steps (mysql_prepare_alter_table): it goes through the old ones, leaves
// out those that are dropped and puts changed ones in the place of the old; then it takes the changes in the order of
// the statement, and adds or moves columns among the new names. So does this file.

// workpiece is a table that is being altered.
type workpiece struct {
	old  []*part
	list []*part // the new order
}

// part is a column of a workpiece.
type part struct {
	Column
	was     string        // its name before
	change  *columnChange // nil: the column stays as it is
	dropped bool
	touched bool // a clause is about it
}

func newWorkpiece(d *Definition) *workpiece {
	w := &workpiece{}
	for _, c := range d.Columns {
		w.old = append(w.old, &part{Column: c, was: c.Name})
	}
	return w
}

func find(parts []*part, name string) *part {
	for _, p := range parts {
		if strings.EqualFold(p.Name, name) {
			return p
		}
	}
	return nil
}

// had says whether there was a column of that name.
func (w *workpiece) had(name string) bool {
	return slices.ContainsFunc(w.old, func(p *part) bool { return strings.EqualFold(p.was, name) })
}

// pick finds an old column that a clause is about: the only one. It returns nil when there is none, which only IF EXISTS
// allows.
func (w *workpiece) pick(name string, maybe bool) (*part, error) {
	p := find(w.old, name)
	switch {
	case p == nil && maybe:
		return nil, nil
	case p == nil:
		return nil, fmt.Errorf("there is no column %s", name)
	case p.touched:
		return nil, fmt.Errorf("column %s is altered twice", name)
	}
	p.touched = true
	return p, nil
}

// mark notes what becomes of the old columns.
func (w *workpiece) mark(a *Alteration) error {
	for _, d := range a.drops {
		if p := find(w.old, d.name); d.maybe && p != nil && p.dropped {
			continue // a clause before did it
		}
		p, err := w.pick(d.name, d.maybe)
		if err != nil {
			return err
		}
		if p != nil {
			p.dropped = true
		}
	}
	changed := map[*part]string{}
	for _, r := range a.renames {
		p, err := w.pick(r.old, r.maybe)
		if err != nil {
			return err
		}
		if p != nil {
			changed[p] = r.name
		}
	}
	for i := range a.columns {
		c := &a.columns[i]
		if c.old == "" {
			continue
		}
		p, err := w.pick(c.old, c.maybe)
		if err != nil {
			return err
		}
		if p != nil {
			p.change = c
		}
	}
	for p, name := range changed { // afterwards: clauses name columns as they were
		p.Name = name
	}
	return nil
}

// arrange makes the new order.
func (w *workpiece) arrange(a *Alteration) error {
	moved := map[*columnChange]*part{}
	for _, p := range w.old {
		switch {
		case p.dropped:
			continue
		case p.change != nil:
			p.Column = p.change.def.Column
			if p.change.first || p.change.after != "" {
				moved[p.change] = p
				continue
			}
		}
		w.list = append(w.list, p)
	}
	for i := range a.columns {
		c := &a.columns[i]
		p := moved[c]
		switch {
		case c.maybe && c.def.primary: // of this servers do one half or the other
			return fmt.Errorf("column %s is the primary key, under a condition", c.def.Name)
		case p == nil && c.old != "", c.maybe && c.old == "" && w.had(c.def.Name):
			continue // it has its place, or its condition does not hold
		case p == nil:
			p = &part{Column: c.def.Column, change: c}
		}
		if err := w.place(p, c); err != nil {
			return err
		}
	}
	return w.check()
}

// check looks for what no table has.
func (w *workpiece) check() error {
	if len(w.list) == 0 {
		return errors.New("no column is left")
	}
	names := map[string]bool{}
	for _, p := range w.list {
		name := strings.ToLower(p.Name)
		if names[name] {
			return fmt.Errorf("two columns %s", p.Name)
		}
		names[name] = true
	}
	return nil
}

// place puts a column where a clause wants it.
func (w *workpiece) place(p *part, c *columnChange) error {
	at := len(w.list)
	switch {
	case c.first:
		at = 0
	case c.after != "":
		before := find(w.list, c.after)
		if before == nil {
			return fmt.Errorf("there is no column %s", c.after)
		}
		at = slices.Index(w.list, before) + 1
	}
	w.list = slices.Insert(w.list, at, p)
	return nil
}

// period names the columns of the old period as they are now.
func (w *workpiece) period(old []string) []string {
	period := slices.Clone(old)
	for i, name := range period {
		for _, p := range w.list {
			if p.was == name {
				period[i] = p.Name
			}
		}
	}
	return period
}

// key is the new primary key. The old one's columns keep their part in it under new names.
func (w *workpiece) key(a *Alteration, old []int) ([]int, error) {
	names := a.key
	for _, p := range w.list {
		if p.change != nil && p.change.def.primary {
			if names != nil {
				return nil, errors.New("two primary keys")
			}
			names = []string{p.Name}
		}
	}
	var key []int
	if !a.dropKey {
		for _, k := range old {
			p := w.old[k]
			heir := find(w.list, p.was)
			switch {
			case p.dropped && heir != nil, heir != nil && heir.was == "":
				return nil, fmt.Errorf("column %s of the primary key gives its name to another one", p.was)
			case !p.dropped:
				key = append(key, slices.Index(w.list, p))
			}
		}
	}
	if names == nil {
		return key, nil
	}
	if key != nil {
		return nil, errors.New("two primary keys")
	}
	for _, name := range names {
		p := find(w.list, name)
		if p == nil {
			return nil, fmt.Errorf("there is no column %s", name)
		}
		key = append(key, slices.Index(w.list, p))
	}
	return key, nil
}
