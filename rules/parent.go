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
	return e.Parent != nil && isParent(row, t.Index(e.Parent.Column), t.Index(e.Parent.Staff))
}

// ParentSQL is IsParent as a condition, which is never NULL.
func (e *Entity) ParentSQL() string {
	if e.Parent == nil {
		return "FALSE"
	}
	return "(COALESCE(`" + e.Parent.Column + "`, 0) < 0 AND COALESCE(`" + e.Parent.Staff + "`, 0) = 0)"
}

// isParent is the definition. What an image does not show of an inserted row has its default: no employee. NULL is no
// employee either, but no parent's id_parent.
func isParent(row cdc.Row, parent, employee int) bool {
	id, ok := row.Int(parent)
	if !ok || id >= 0 {
		return false
	}
	staff, ok := row.Int(employee)
	return !ok || staff == 0
}

// insertsParent says whether an INSERT made the parent of a multi-order. The plugin names id_parent when it makes one;
// a statement that is known and leaves it to its default made a booking without an employee.
func (b *binding) insertsParent(row cdc.Row, st *statement) bool {
	if b.entity == nil || b.entity.Parent == nil || !isParent(row, b.parent, b.employee) {
		return false
	}
	return st == nil || len(st.columns) == 0 || st.names(b.entity.Parent.Column)
}
