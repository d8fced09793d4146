package cdc

import (
	"fmt"
	"log/slog"
)

// movedError ends a connection that is well: the server's name leads to another machine by now.
type movedError struct{ from, to string }

func (e *movedError) Error() string {
	return fmt.Sprintf("the name of the database server leads to %s now, and no more to %s", e.to, e.from)
}

// checkName ends the connection between two transactions when the server's name leads elsewhere.
func (r *reader) checkName() error {
	if r.link == nil || r.link.server == nil || r.txn.open {
		return nil
	}
	to, moved := r.link.server.Moved()
	if !moved {
		return nil
	}
	return &movedError{from: r.link.RemoteAddr().String(), to: fmt.Sprint(to)}
}

// followName goes to where the server's name leads now, with all connections: that which holds the lock is the old machine's.
func (s *Source) followName(e *movedError) {
	s.cfg.Log.Warn("the database's name leads to another machine now, connecting there", slog.String("address", s.login.Config().Address),
		slog.String("from", e.from), slog.String("to", e.to))
	_ = s.twin.release() // on a machine that is left
	s.login.Renew()
}
