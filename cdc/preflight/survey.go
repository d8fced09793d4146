package preflight

import (
	"context"
	"fmt"
	"strings"

	"rowhook/cdc/sqlmap"
)

// Survey is what a server is and lacks, as far as any of its users may see: it takes none of the privileges that Check looks for.
type Survey struct {
	Version string
	Hosting string    // who runs it, for people
	Managed bool      // by a hosting: nobody has a my.cnf
	Log     []Finding // how it writes its log
	// Privileges are those that following takes, in this server's words for GRANT.
	Privileges []string
	ServerID   string
	// LiteralGrants says that _ in the name of a schema means itself in GRANT, and not any character.
	LiteralGrants bool
}

// Survey looks at the server. An error means that it could not be asked.
func (s *Checker) Survey(ctx context.Context) (Survey, error) {
	vars, err := s.variables(ctx)
	if err != nil {
		return Survey{}, fmt.Errorf("reading the server's variables: %w", err)
	}
	survey := Survey{Version: s.Version, Hosting: s.Hosting.String(), Managed: s.Hosting != OwnServer, Log: s.checkLog(ctx, vars)}
	for _, p := range s.needed() {
		survey.Privileges = append(survey.Privileges, p[0])
	}
	rows, err := sqlmap.Rows(ctx, s.DB, "SHOW GLOBAL VARIABLES WHERE variable_name IN ('server_id', 'partial_revokes')")
	if err != nil {
		return Survey{}, fmt.Errorf("reading the server's variables: %w", err)
	}
	for _, r := range rows {
		switch strings.ToLower(r["Variable_name"]) {
		case "server_id":
			survey.ServerID = r["Value"]
		case "partial_revokes":
			survey.LiteralGrants = r["Value"] == "ON"
		}
	}
	return survey, nil
}
