package events

import (
	"fmt"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/dbtest"
	"rowhook/rules"
)

// Rows are parents of multi-orders to the server exactly when they are to us.
func TestParentIsOneDefinition(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	db := server.DB(t, "")
	table := schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_vikappointments_reservation"}, []string{"id", "id_parent", "id_employee"}, []int{0})
	parents := 0
	for _, entity := range rules.Entities() {
		for _, parent := range []string{"NULL", "-9", "-1", "0", "1", "7"} {
			for _, employee := range []string{"NULL", "-1", "0", "3"} {
				var b rowcodec.RowBuilder
				b.AddText(cdc.Int, "1")
				for _, v := range []string{parent, employee} {
					if v == "NULL" {
						b.AddText(cdc.Null, "")
					} else {
						b.AddText(cdc.Int, v)
					}
				}
				var want bool
				query := fmt.Sprintf("SELECT %s FROM (SELECT %s AS id_parent, %s AS id_employee) AS t", entity.ParentSQL(), parent, employee)
				if err := db.QueryRowContext(t.Context(), query).Scan(&want); err != nil {
					t.Fatalf("%s: %v", query, err)
				}
				if got := entity.IsParent(table, b.Row()); got != want {
					t.Errorf("%s with id_parent %s and id_employee %s is a parent: %t, to the server %t", entity.Name, parent, employee, got, want)
				}
				if want {
					parents++
				}
			}
		}
	}
	if parents != 4 { // -9 and -1, with NULL and 0
		t.Errorf("%d of the rows are parents", parents)
	}
}
