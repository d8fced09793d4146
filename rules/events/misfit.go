package events

import (
	"errors"
	"fmt"
	"slices"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/words"
)

// MisfitError is a row of a site that no event can be made of: its table is not what the plugin makes it.
type MisfitError struct {
	Site  *rules.Site
	Table cdc.TableName
	err   error
}

func (e *MisfitError) Error() string {
	return fmt.Sprintf("a row of %s does not fit: %v", e.Table, e.err)
}

// Unwrap returns what does not fit.
func (e *MisfitError) Unwrap() error { return e.err }

// MisfitErrors are those of one row, one for each part of a site that it is of and does not fit.
type MisfitErrors []*MisfitError

func (m MisfitErrors) Error() string { return errors.Join(m.Unwrap()...).Error() }

// Unwrap returns all of them.
func (m MisfitErrors) Unwrap() []error {
	all := make([]error, len(m))
	for i, is := range m {
		all[i] = is
	}
	return all
}

// of says whether the row does not fit a part.
func (m MisfitErrors) of(site *rules.Site) bool {
	return slices.ContainsFunc(m, func(is *MisfitError) bool { return is.Site == site })
}

// misfits are the parts of sites that a change does not fit, and whether there are others that it is of.
func (c *catalog) misfits(change *cdc.Change) (misfits MisfitErrors, others bool) {
	bound := c.bound(change.Table)
	for _, b := range bound {
		if err := b.fits(c, change); err != nil && !misfits.of(b.site) {
			misfits = append(misfits, &MisfitError{b.site, change.Table.TableName, err})
		}
	}
	if misfits == nil {
		return nil, len(bound) > 0
	}
	return misfits, slices.ContainsFunc(bound, func(b *binding) bool { return !misfits.of(b.site) })
}

// fits says whether a row names its object with a number.
func (b *binding) fits(c *catalog, change *cdc.Change) error {
	row := change.After
	if change.Op == cdc.Delete {
		row = change.Before
	}
	switch b.role {
	case rootRow:
		if b.entity.Custom { // a key may be anything
			if err := b.hasKey(change.Table, row); err != nil || change.Op != cdc.Update {
				return err
			}
			return b.hasKey(change.Table, change.Before)
		}
		return isNumber(row, b.id, "id")
	case partRow:
		if row.Kind(b.order) == cdc.Absent { // whose it is is asked for
			return nil
		}
		return isNumber(row, b.order, b.entity.Parts.Order)
	case historyRow:
		if change.Op == cdc.Insert && c.byStatusType(row.Text(b.statusType)) != nil {
			return isNumber(row, b.order, "id_order")
		}
	}
	return nil
}

// hasKey says whether a row shows the columns that a rule names as its key.
func (b *binding) hasKey(t *cdc.Table, row cdc.Row) error {
	if b.entity.Hooks {
		return nil
	}
	for i, column := range b.entity.Key {
		switch {
		case b.key[i] < 0:
			return &keyError{fmt.Sprintf("its table has no column %s, which a rule names in key:%s", column, words.DidYouMean(column, t.Columns)),
				"correct key: in the rule, or remove it: then it is the table's primary key; then send rowhook SIGHUP"}
		case row.Kind(b.key[i]) == cdc.Absent:
			return &keyError{fmt.Sprintf("the log does not show its column %s, which a rule names in key:", column),
				"SET GLOBAL binlog_row_image = FULL, for what is written from then on"}
		}
	}
	return nil
}

// keyError says that a row has no such key as a rule names.
type keyError struct{ found, fix string }

func (e *keyError) Error() string { return e.found }

// Fix says what to do about it; empty where the table is to be made what the plugin makes it.
func (e *MisfitError) Fix() string {
	if k, ok := errors.AsType[*keyError](e.err); ok {
		return k.fix
	}
	return ""
}

func isNumber(row cdc.Row, column int, name string) error {
	if column < 0 {
		return fmt.Errorf("its table has no column %s", name)
	}
	if _, ok := row.Int(column); !ok {
		return errNotNumber(name, row.Text(column))
	}
	return nil
}

func errNotNumber(column, text string) error {
	return fmt.Errorf("column %s is %q, not a number", column, text)
}
