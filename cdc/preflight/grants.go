package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/sqlmap"
)

// askTimeout bounds the questions that advice takes.
const askTimeout = 20 * time.Second

// checkGrants looks for the privileges to read the log. SHOW GRANTS tells those of the roles that are active, too.
func (s *Checker) checkGrants(ctx context.Context) Finding {
	f := Finding{Check: "grants"}
	rows, err := sqlmap.Rows(ctx, s.DB, "SHOW GRANTS")
	if err != nil {
		f.Found, f.Fix = err.Error(), s.grantFix(ctx)
		return f
	}
	has := map[string]bool{}
	var listed, roles []string
	for _, r := range rows {
		for _, grant := range r {
			names, what := parseGrant(grant)
			switch what {
			case "*.*":
				for _, n := range names {
					has[n] = true
					listed = append(listed, n)
				}
			case "":
				roles = append(roles, names...)
			}
		}
	}
	var lacks []string
	for _, p := range s.needed() {
		if !slices.ContainsFunc(append(p, "ALL PRIVILEGES"), func(n string) bool { return has[n] }) {
			lacks = append(lacks, p[0])
		}
	}
	slices.Sort(listed)
	f.OK, f.Found = len(lacks) == 0, strings.Join(slices.Compact(listed), ", ")
	if !f.OK {
		f.Found = fmt.Sprintf("%s lacks %s; it has %s", s.account(ctx), strings.Join(lacks, " and "), cmp.Or(f.Found, "none"))
		f.Fix = fmt.Sprintf("GRANT %s ON *.* TO %s;", strings.Join(lacks, ", "), s.account(ctx))
		if len(roles) > 0 {
			f.Found += fmt.Sprintf(" (a privilege of a role counts when the role is a default one: %s)", strings.Join(roles, ", "))
		}
	}
	return f
}

// needed are the privileges that following takes, each under the names that servers give it. The first is for GRANT.
func (s *Checker) needed() [][]string {
	if s.MariaDB {
		return [][]string{{"REPLICATION SLAVE", "REPLICATION REPLICA"}, {"BINLOG MONITOR", "REPLICATION CLIENT"}}
	}
	return [][]string{{"REPLICATION SLAVE"}, {"REPLICATION CLIENT"}}
}

// parseGrant reads a line of SHOW GRANTS: the privileges and what they are for, or roles, which are for nothing.
func parseGrant(line string) (names []string, what string) {
	rest, ok := strings.CutPrefix(line, "GRANT ")
	if !ok {
		return nil, ""
	}
	rest, _, _ = strings.Cut(rest, " TO ")
	rest, what, _ = strings.Cut(rest, " ON ")
	for n := range strings.SplitSeq(rest, ",") {
		names = append(names, strings.TrimSpace(n))
	}
	return names, what
}

func (s *Checker) grantFix(ctx context.Context) string {
	var names []string
	for _, p := range s.needed() {
		names = append(names, p[0])
	}
	return fmt.Sprintf("GRANT %s ON *.* TO %s;", strings.Join(names, ", "), s.account(ctx))
}

// Advice says what to do about an error of a connection.
func (s *Checker) Advice(ctx context.Context, err error) string {
	const denied, deniedLog = 1227, 1045 // for want of a global privilege; MariaDB says the other when it is asked for the log
	var side *sqlmap.Error
	var log *mysql.MyError // who gets it is logged in
	if errors.As(err, &side) && side.Number == denied || errors.As(err, &log) && (log.Code == denied || log.Code == deniedLog) {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		return s.grantFix(ctx)
	}
	return s.Server.Advice(err)
}

// account is how GRANT names our user.
func (s *Checker) account(ctx context.Context) string {
	user, host := s.Server.Config().User, "%"
	if r, err := sqlmap.Row(ctx, s.DB, "SELECT CURRENT_USER() AS account"); err == nil {
		if i := strings.LastIndexByte(r["account"], '@'); i >= 0 {
			user, host = r["account"][:i], r["account"][i+1:]
		}
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	return quote(user) + "@" + quote(host)
}
