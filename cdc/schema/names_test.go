package schema

import (
	"slices"
	"testing"

	"rowhook/cdc/schema/ddl"
)

// A statement that is not understood is taken to be about the tables that it names.
func TestMentions(t *testing.T) {
	t.Parallel()
	tables := []ddl.TableName{{Schema: "shop", Name: "wp_res"}, {Schema: "my-shop", Name: "wp_größe"}, {Schema: "odd", Name: "a`b"}}
	for _, c := range []struct {
		schema, text string
		want         int // which of the tables, -1: none
	}{
		{"shop", "UPDATE wp_res SET a=1", 0},
		{"shop", "UPDATE `wp_res` SET a=1", 0},
		{"shop", "UPDATE WP_RES SET a=1", 0},
		{"shop", "UPDATE wp_res2 SET a=1", -1},
		{"shop", "UPDATE my_wp_res SET a=1", -1},
		{"shop", "UPDATE wp_resé SET a=1", -1},
		{"shop", "UPDATE wp_res2, wp_res SET a=1", 0},
		{"", "UPDATE shop.wp_res SET a=1", 0},
		{"other", "UPDATE wp_res SET a=1", -1},
		{"other", "UPDATE `shop`.`wp_res` SET a=1", 0},
		{"other", "UPDATE workshop.wp_res SET a=1", -1},
		{"other", "UPDATE `my-shop`.`WP_GRÖSSE` SET a=1", -1},
		{"other", "UPDATE `my-shop`.`wp_GRÖßE` SET a=1", 1},
		{"odd", "anything", 2},
		{"other", "odd", 2},
		{"other", "anything", -1},
	} {
		names := NewNameIndex(tables...).In(&Statement{Schema: c.schema, Text: c.text})
		if got := slices.IndexFunc(tables, names.Has); got != c.want {
			t.Errorf("in %s: %s: %d, want %d", c.schema, c.text, got, c.want)
		}
	}
}
