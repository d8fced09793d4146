package rules

import (
	"fmt"

	"rowhook/cdc"
)

// MisfitError is a row of a site that no event can be made of: its table is not what the plugin makes it.
type MisfitError struct {
	Site  *Site
	Table cdc.TableName
	err   error
}

func (e *MisfitError) Error() string {
	return fmt.Sprintf("a row of %s does not fit: %v", e.Table, e.err)
}

// Unwrap returns what does not fit.
func (e *MisfitError) Unwrap() error { return e.err }

// fits says whether a row names its object with a number.
func (b *binding) fits(c *catalog, change *cdc.Change) error {
	row := change.After
	if change.Op == cdc.Delete {
		row = change.Before
	}
	switch b.role {
	case rootRow:
		if b.entity.Custom { // a key may be anything
			return nil
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

func isNumber(row cdc.Row, column int, name string) error {
	if column < 0 {
		return fmt.Errorf("its table has no column %s", name)
	}
	if _, ok := row.Int(column); !ok {
		return errNotNumber(name, row.Text(column))
	}
	return nil
}
