package rules

import "rowhook/cdc"

// The parent of a multi-order is a reservation that books nothing itself: id_parent below zero, and no employee. The
// sign of id_parent alone does not tell, for -1 is the column's default, which every booking has at first, and which a
// form that names all columns gives to ordinary ones; 0 is no parent (FINDINGS 5, 8, 11). IsParent, ParentSQL and the
// rules, which look at the statement as well, share this one definition.

// Parent names the columns that tell.
type Parent struct {
	Column string // id_parent
	Staff  string // id_employee
}

// IsParent says whether a row of the entity's table is the parent of a multi-order.
func (e *Entity) IsParent(t *cdc.Table, row cdc.Row) bool {
	return e.Parent != nil && RowIsParent(row, t.Index(e.Parent.Column), t.Index(e.Parent.Staff))
}

// ParentSQL is IsParent as a condition, which is never NULL.
func (e *Entity) ParentSQL() string {
	if e.Parent == nil {
		return "FALSE"
	}
	return "(COALESCE(`" + e.Parent.Column + "`, 0) < 0 AND COALESCE(`" + e.Parent.Staff + "`, 0) = 0)"
}

// RowIsParent is the definition, by where the columns stand. What an image does not show of an inserted row has its default: no employee. NULL is no
// employee either, but no parent's id_parent.
func RowIsParent(row cdc.Row, parent, employee int) bool {
	id, ok := row.Int(parent)
	if !ok || id >= 0 {
		return false
	}
	staff, ok := row.Int(employee)
	return !ok || staff == 0
}
