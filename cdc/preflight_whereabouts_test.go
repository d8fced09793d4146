package cdc

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/cdc/cdctest"
	"rowhook/dbtest"
)

// TestWhereabouts finds tables that are not where the configuration says.
func TestWhereabouts(t *testing.T) {
	t.Parallel()
	server := cdctest.StartServer(t, dbtest.MariaDB1011, "--sync-binlog=1")
	folding := cdctest.StartServer(t, dbtest.MariaDB1011, "--sync-binlog=1", "--lower-case-table-names=1")
	for _, s := range []*dbtest.Server{server, folding} {
		cdctest.SchemaConn(t, s, "shop", "CREATE TABLE new_a (id INT PRIMARY KEY)", "CREATE TABLE new_b (id INT PRIMARY KEY)", "CREATE TABLE other_a (id INT PRIMARY KEY)")
		cdctest.SchemaConn(t, s, "copy", "CREATE TABLE new_a (id INT PRIMARY KEY)", "CREATE TABLE new_b (id INT PRIMARY KEY)")
		s.CreateUser(t, "onlyshop", "secret", cdctest.Grants, "SELECT ON shop.*")
	}
	for _, c := range []struct {
		name           string
		server         *dbtest.Server
		user           string
		schema, prefix string
		found, fix     string
	}{
		{"renamed prefix", server, "rowhook", "shop", "wp_", `in schema "shop" with the prefix "new_", in schema "copy"`, `sites[].prefix: "new_"`},
		{"renamed prefix, little to see", server, "onlyshop", "shop", "wp_", `not found: wp_a, wp_b; tables of these names are there in schema "shop" with the prefix "new_"`, `sites[].prefix: "new_"`},
		{"case of the prefix", server, "onlyshop", "shop", "NEW_", "upper and lower case", `sites[].prefix: "new_"`},
		{"case of the schema", server, "rowhook", "Shop", "new_", "upper and lower case", `sites[].schema: "shop"`},
		{"case, not readable", server, "onlyshop", "SHOP", "New_", "upper and lower case", `sites[].schema: "shop"  sites[].prefix: "new_"`},
		{"folded prefix", folding, "rowhook", "shop", "NEW_", "upper and lower case", `sites[].prefix: "new_"`},
		{"folded schema", folding, "rowhook", "Shop", "new_", "upper and lower case", `sites[].schema: "shop"`},
		{"another schema", server, "onlyshop", "wordpress", "new_", `in schema "shop" with the prefix "new_"`, `sites[].schema: "shop"`},
		{"nowhere", server, "rowhook", "nowhere", "none_", "in schema", "sites[].schema"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := sourceConfig(c.server, newLog(), c.schema, c.prefix+"a", c.prefix+"b")
			cfg.as(c.user)
			cfg.Prefixes = map[TableName]string{}
			for _, n := range cfg.Tables {
				cfg.Prefixes[n] = c.prefix
			}
			bad := faults(t, cfg)
			if len(bad) != 1 || !strings.HasPrefix(bad[0].Check, "tables of schema") || !strings.Contains(bad[0].Found, c.found) || !strings.Contains(bad[0].Fix, c.fix) || strings.Contains(bad[0].Fix, "GRANT") {
				t.Errorf("%+v", bad)
			}
		})
	}

	t.Run("another site's", func(t *testing.T) {
		cfg := sourceConfig(server, newLog(), "shop", "new_a", "new_b", "wp_a", "wp_b")
		cfg.as("onlyshop")
		cfg.Prefixes = map[TableName]string{}
		for _, n := range cfg.Tables {
			cfg.Prefixes[n] = n.Name[:len(n.Name)-1]
		}
		if bad := faults(t, cfg); len(bad) != 1 || strings.Contains(bad[0].Found, "are there") || !strings.Contains(bad[0].Fix, "$table_prefix") {
			t.Errorf("%+v", bad)
		}
	})

	t.Run("hundreds of sites", func(t *testing.T) {
		var tables []string
		for n := range 300 {
			tables = append(tables, fmt.Sprintf("s%d_a", n), fmt.Sprintf("s%d_b", n))
		}
		cfg := sourceConfig(server, newLog(), "shop", tables...)
		cfg.as("onlyshop")
		cfg.Prefixes = map[TableName]string{}
		for _, n := range cfg.Tables {
			cfg.Prefixes[n] = n.Name[:len(n.Name)-1]
		}
		bad := faults(t, cfg)
		if len(bad) != 1 || !strings.Contains(bad[0].Found, "not found: s0_a, s0_b, ") || !strings.Contains(bad[0].Found, " and 580 more") || len(bad[0].Found)+len(bad[0].Fix) > 1000 {
			t.Errorf("%+v", bad)
		}
	})
}
