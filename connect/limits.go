package connect

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"time"

	"rowhook/retry"
)

// How many connections rowhook takes. Nothing else in the program knows.
const (
	// LeastConnections are what following takes: one for the log, one that keeps a second reader out, and one to ask and
	// to load.
	LeastConnections = logConnections + 2
	// MostConnections are what it takes when there is much to load.
	MostConnections = logConnections + aheadConnections + mostPooled

	logConnections   = 1
	aheadConnections = 1 // a look ahead in the log, for its time
	// mostPooled are a small share of the 151 that a server allows by default. One of them is the lock's.
	mostPooled = 8
	// keptIdle are those of the pool that are not closed when nobody uses them.
	keptIdle = 2
)

// Limits are what a server lets our user have.
type Limits struct {
	OfUser     int            // connections at once; 0: as many as there are
	OfServer   int            // connections at once of everybody, max_connections
	Used       int            // of those, now
	HourlyCaps map[string]int // what is counted by the hour, by the words of ALTER USER
}

// Limits asks for them.
func (s *Server) Limits(ctx context.Context, db *sql.DB) (Limits, error) {
	var l Limits
	// The session's value is the account's own limit where it has one.
	if err := db.QueryRowContext(ctx, "SELECT @@session.max_user_connections, @@global.max_connections").Scan(&l.OfUser, &l.OfServer); err != nil {
		return l, fmt.Errorf("asking how many connections the server allows: %w", err)
	}
	var name, account string
	if err := db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Threads_connected'").Scan(&name, &l.Used); err != nil {
		return l, fmt.Errorf("asking how many connections the server has: %w", err)
	}
	if err := db.QueryRowContext(ctx, "SHOW CREATE USER CURRENT_USER()").Scan(&account); err != nil && CauseOf(err) != Unknown {
		return l, fmt.Errorf("asking for the limits of our user: %w", err) // one who may not ask has none, most likely
	}
	l.HourlyCaps = hourlyCaps(account)
	return l, nil
}

// hourlyCaps reads those limits of an account that rowhook would reach: it logs in again each minute.
func hourlyCaps(account string) map[string]int {
	caps := map[string]int{}
	for _, name := range []string{"MAX_QUERIES_PER_HOUR", "MAX_CONNECTIONS_PER_HOUR"} {
		_, after, _ := strings.Cut(account, " "+name+" ")
		n := 0
		if _, err := fmt.Sscan(after, &n); err == nil && n > 0 {
			caps[name] = n
		}
	}
	return caps
}

// Fit makes a pool no larger than the server allows our user: who wants a connection then waits for another's, and is
// not refused. It is asked again now and then, for the limit may change.
func (s *Server) Fit(ctx context.Context, db *sql.DB) error {
	var limit int
	if err := db.QueryRowContext(ctx, "SELECT @@session.max_user_connections").Scan(&limit); err != nil {
		return fmt.Errorf("asking how many connections user %s may have: %w", s.Config().User, err)
	}
	db.SetMaxOpenConns(pooled(limit))
	return nil
}

// pooled is how many connections a pool may have of a user's limit, 0 for none.
func pooled(limit int) int {
	if limit <= 0 {
		return mostPooled
	}
	return min(max(limit-logConnections, LeastConnections-logConnections), mostPooled)
}

// dial opens a connection. Where our user has as many as he may, it waits a little: one that was closed counts until the
// server noticed, and those of the pool that nobody uses are given up for the log.
func (s *Server) dial(ctx context.Context, kind sessionKind) (net.Conn, error) {
	const tries, pause = 6, 20 * time.Millisecond // 1.2 s in all
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	for try := range tries {
		conn, err := s.dialOnce(ctx, kind)
		if !isUserLimit(err) {
			return conn, err
		}
		if kind == logSession {
			s.dropIdle()
		}
		if retry.Pause(ctx, pause<<try) != nil {
			return nil, err
		}
	}
	return s.dialOnce(ctx, kind)
}

// dropIdle closes the connections of the pool that nobody uses.
func (s *Server) dropIdle() {
	s.mu.Lock()
	pool := s.pool
	s.mu.Unlock()
	if pool != nil {
		pool.SetMaxIdleConns(-1)
		pool.SetMaxIdleConns(keptIdle)
	}
}

// isUserLimit says whether a login was refused because our user has as many connections as he may.
func isUserLimit(err error) bool {
	number, message := refusalOf(err)
	return number == errUserConnections || number == errUserResource && strings.Contains(message, "max_user_connections")
}

// Errors of limits.
const (
	errUserConnections = 1203 // more than max_user_connections
	errUserResource    = 1226 // more than the account's own, of whatever it has a limit for
)

// adviceFull is for a server that has no connection for us.
func adviceFull(c Config, err error) string {
	number, _ := refusalOf(err)
	switch {
	case isUserLimit(err):
		return fmt.Sprintf("ALTER USER %s@... WITH MAX_USER_CONNECTIONS %d;   rowhook takes %d to %d, and a command such as rowhook check one or two more", c.User, MostConnections+2, LeastConnections, MostConnections)
	case number == errUserResource:
		return fmt.Sprintf("ALTER USER %s@... WITH MAX_QUERIES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0;", c.User)
	case number == 1129:
		return "too many connections from this host were broken off: FLUSH HOSTS;"
	case number == 1040:
		return fmt.Sprintf("the server has no connection free, rowhook takes %d to %d: see SHOW PROCESSLIST, and raise the limit: SHOW VARIABLES LIKE 'max_connections'; SET GLOBAL max_connections = ...;", LeastConnections, MostConnections)
	}
	return "the server has no memory or thread for another connection; see its error log"
}
