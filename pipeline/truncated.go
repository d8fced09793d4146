package pipeline

import (
	"log/slog"
	"slices"

	"rowhook/cdc"
	"rowhook/rules"
)

// tellEmptied says which sites lost rows that no webhook will tell of.
func (s *sites) tellEmptied(r *reading, c *cdc.Commit) {
	for _, e := range c.Emptied {
		for _, site := range s.all() {
			if e.Table.Schema != site.Schema || site.Shares() || s.engineOf(site) != r.engine || !slices.Contains(s.tables(site), e.Table) {
				continue
			}
			if e.To != (cdc.TableName{}) && !s.reads(e.To) {
				s.cfg.Log.Warn("a table was renamed: no delete webhooks are sent for its rows, and under its new name it is not followed",
					slog.String("site", site.Name), slog.String("table", e.Table.Name), slog.String("to", e.To.String()),
					slog.String("statement", e.Statement), slog.String("transaction", c.Txn.ID()),
					slog.String("fix", "if the site has another prefix or schema now, write it into sites[].prefix or sites[].schema, and restart rowhook"))
				continue
			}
			s.cfg.Log.Warn("the rows of a table went without being logged one by one: no delete webhooks are sent for them",
				slog.String("site", site.Name), slog.String("table", e.Table.Name), slog.String("statement", e.Statement),
				slog.String("transaction", c.Txn.ID()))
		}
	}
}

// reads says whether a table is one of some site's that make events.
func (s *sites) reads(t cdc.TableName) bool {
	return slices.ContainsFunc(s.all(), func(site *rules.Site) bool { return site.Schema == t.Schema && slices.Contains(s.tables(site), t) })
}
