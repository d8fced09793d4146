package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"rowhook/cdc/schema"
	"rowhook/cdc/schema/ddl"
	"rowhook/cdc/sqlmap"
)

// tablesCheck is what is found out about the watched tables.
type tablesCheck struct {
	server   *Checker
	findings []Finding
	missing  map[string][]string // names by schema
	denied   map[string][]string
	unread   map[string][]string // tables that are only looked up
	optional map[ddl.TableName]bool

	locked atomic.Int32
}

// lookAtOnce is how many tables the server is asked for at a time: of hundreds of sites there are thousands.
const lookAtOnce = 4

// CheckTables looks for the watched tables, and for the primary key that tells their rows apart; and whether the tables
// can be read whole, which loading needs. An error means that the server could not be asked.
func (s *Checker) CheckTables(ctx context.Context) ([]Finding, error) {
	c, err := s.lookAtTables(ctx)
	if err != nil {
		return nil, err
	}
	return c.findings, nil
}

// nothing says whether none of the watched tables can be followed.
func (c *tablesCheck) nothing() bool {
	n := 0
	for _, names := range []map[string][]string{c.missing, c.denied} {
		for _, of := range names {
			n += len(of)
		}
	}
	return n > 0 && n == len(c.server.Tables)-len(c.server.Optional)
}

func (s *Checker) lookAtTables(ctx context.Context) (*tablesCheck, error) {
	c := &tablesCheck{server: s, missing: map[string][]string{}, denied: map[string][]string{}, unread: map[string][]string{}, optional: map[ddl.TableName]bool{}}
	for _, t := range s.Optional {
		c.optional[t] = true
	}
	is, said := make([]*ddl.Definition, len(s.Tables)), make([]error, len(s.Tables))
	unread := make([]error, len(s.Lookups))
	g, asking := errgroup.WithContext(ctx)
	g.SetLimit(lookAtOnce)
	for i, t := range s.Tables {
		if s.Sound.has(t) {
			continue
		}
		g.Go(func() error {
			if is[i], said[i] = s.Define(asking, t); said[i] == nil {
				said[i] = c.readable(asking, t)
			}
			if err := said[i]; err != nil && !schema.IsOfTable(err) {
				return fmt.Errorf("table %s: %w", t, err)
			}
			return nil
		})
	}
	for i, t := range s.Lookups {
		if s.Sound.has(t) {
			continue
		}
		g.Go(func() error {
			unread[i] = c.readable(asking, t)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, t := range s.Tables {
		if !s.Sound.has(t) && c.take(t, is[i], said[i]) {
			s.Sound.add(t)
		}
	}
	for i, t := range s.Lookups {
		switch err := unread[i]; {
		case err == nil && c.locked.Load() == 0: // else it may not have been asked for
			s.Sound.add(t)
		case err != nil && !schema.IsLocked(err):
			c.unread[t.Schema] = append(c.unread[t.Schema], t.Name)
		}
	}
	for _, schema := range s.Schemas {
		c.findings = append(c.findings, c.schema(ctx, schema))
	}
	return c, nil
}

// readable says whether every column of a table may be selected. When some tables are locked, the others are not asked for
// any more: a server's start, of all moments, may be that of a long import.
func (c *tablesCheck) readable(ctx context.Context, t ddl.TableName) error {
	if c.locked.Load() >= schema.MostLocked {
		return nil
	}
	_, err := sqlmap.Row(ctx, c.server.DB, fmt.Sprintf("SELECT * FROM `%s`.`%s` LIMIT 0", strings.ReplaceAll(t.Schema, "`", "``"), strings.ReplaceAll(t.Name, "`", "``")))
	if schema.IsLocked(err) {
		c.locked.Add(1)
	}
	return err
}

// take sorts in what is known of a table, and says whether it is as it must be.
func (c *tablesCheck) take(t ddl.TableName, is *ddl.Definition, err error) bool {
	f := Finding{Check: "table " + t.String()}
	optional := c.optional[t]
	switch {
	case optional && !f.optional(t, is, err):
		return c.locked.Load() == 0 // all is well, and it needs no key
	case optional:
	case err == nil && is.ByTransaction():
		f.Schema, f.Found, f.Fix = t.Schema, "its changes are logged as statements", schema.ByTransactionHint(t)
	case err == nil && len(is.Key) == 0:
		f.Warn, f.Found, f.Fix = true, "no primary key", fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (id);", t)
	case err == nil:
		return c.locked.Load() == 0 // else it may not have been read
	case errors.Is(err, schema.ErrNoTable):
		c.missing[t.Schema] = append(c.missing[t.Schema], t.Name)
		return false
	case schema.IsDenied(err): // also what the server says of a missing table to whom may not know
		c.denied[t.Schema] = append(c.denied[t.Schema], t.Name)
		return false
	case schema.IsLocked(err): // which says nothing of the table
		f.Warn, f.Found, f.Fix = true, "locked by somebody, so it could not be looked at", schema.LockedHint
	case errors.Is(err, schema.ErrView):
		f.Warn, f.Found = true, "a view: its changes are logged as those of the tables behind it, so they are not seen"
		f.Fix = "give the configuration the schema and prefix of the tables themselves"
	default:
		f.Schema, f.Found, f.Fix = t.Schema, "the server cannot read it: "+err.Error(), fmt.Sprintf("CHECK TABLE %s;   and see the server's error log", t)
	}
	c.findings = append(c.findings, f)
	return false
}

// optional says what is wrong with a table that only rules name: they wait, and nothing else does. False when all is well.
func (f *Finding) optional(t ddl.TableName, is *ddl.Definition, err error) bool {
	f.Warn = true
	switch {
	case err == nil && !is.ByTransaction():
		return false
	case err == nil:
		f.Found, f.Fix = "its changes are logged as statements, so rules for it get nothing", schema.ByTransactionHint(t)
	case errors.Is(err, schema.ErrNoTable):
		f.Found, f.Fix = "not there; rules for it wait until it is", "see that table: in those rules is right, without the site's prefix; or create it"
	case schema.IsDenied(err):
		f.Found, f.Fix = "not there, or user rowhook may not read it; rules for it wait", fmt.Sprintf("see that table: in those rules is right, without the site's prefix; then  GRANT SELECT ON `%s`.* TO rowhook's user", t.Schema)
	case schema.IsLocked(err):
		f.Found, f.Fix = "locked by somebody, so it could not be looked at", schema.LockedHint
	case errors.Is(err, schema.ErrView):
		f.Found, f.Fix = "a view: its changes are logged as those of the tables behind it, so rules for it get nothing", "write a table behind it into those rules"
	default:
		f.Found, f.Fix = "the server cannot read it: "+err.Error(), fmt.Sprintf("CHECK TABLE %s;   and see the server's error log", t)
	}
	return true
}

// schema says whether the tables of a schema are there and may be read.
func (c *tablesCheck) schema(ctx context.Context, schema string) Finding {
	missing, denied, unread := c.missing[schema], c.denied[schema], c.unread[schema]
	f := Finding{Check: "tables of schema " + schema, Schema: schema, OK: len(missing)+len(denied) == 0, Found: "all found and readable"}
	grant := fmt.Sprintf("GRANT SELECT ON `%s`.* TO %s;", strings.ReplaceAll(schema, "`", "``"), c.server.account(ctx))
	if !f.OK {
		f.Found, f.Fix = c.server.misses(ctx, schema, missing, denied, grant)
	} else if len(unread) > 0 {
		slices.Sort(unread)
		f.Warn, f.Fix = true, grant
		f.Found = "found and readable, but not what extended payloads need besides: " + listed(unread)
	}
	return f
}

// listed names tables, for a message: a server may have a thousand sites, and all of them lack the same.
func listed(names []string) string {
	const most = 20
	if len(names) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// misses says which tables of a schema are not there or may not be read, and what to do.
func (s *Checker) misses(ctx context.Context, schema string, missing, denied []string, grant string) (found, fix string) {
	var says []string
	if len(missing) > 0 {
		says = append(says, "not found: "+listed(missing))
		fix = "sites[].schema and sites[].prefix in the configuration must be DB_NAME and $table_prefix of wp-config.php, and VikAppointments be installed there"
	}
	if len(denied) > 0 { // also what the server says of a missing table to whom may not know
		says = append(says, "not readable: "+listed(denied))
		fix = "see that sites[].schema and sites[].prefix are right in the configuration; then  " + grant
	}
	if elsewhere, change := s.lost(ctx, schema, slices.Concat(missing, denied)); elsewhere != "" {
		says, fix = append(says, elsewhere), change
	}
	return strings.Join(says, "; "), fix
}
