package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rowhook/api"
)

// answersWithin is how long the daemon's parts may take to answer before it counts as stuck.
const answersWithin = 5 * time.Second

// healthy answers whether the daemon's parts do: when it is stuck, a restart helps. A database or a receiver that is away
// is no reason, they come back by themselves.
func healthy(d *api.Daemon) http.HandlerFunc {
	return probe(d, func(_ *api.Status, err error) string {
		if err == nil || errors.Is(err, api.ErrAway) {
			return ""
		}
		return err.Error()
	})
}

// ready answers whether the daemon does its part: it follows the log and the outbox takes what it reads; or it delivers, where another one
// is to follow the log.
func ready(d *api.Daemon) http.HandlerFunc {
	return probe(d, func(s *api.Status, err error) string {
		switch r := s.Reader; {
		case err != nil:
			return err.Error()
		case s.StandsBy:
			return "standby: the server with the outbox does not answer, or it is about to join those that share it"
		case s.Member && s.OutOfStep() != "":
			return "nothing is delivered from here: its rules are not those of " + s.OutOfStep() + ", which holds the outbox"
		case s.Member || s.Resting:
			return ""
		case r == nil && s.Hindrance != nil:
			return "it does not follow the log yet: it waits for its database"
		case r == nil:
			return "it does not follow the log yet: it is starting"
		case !r.Connected:
			return "the database does not send its log"
		case r.Stuck():
			return fmt.Sprintf("a commit of the outbox has been on its way for %.0f s: see that its disk has room, and who has it open", r.Storing)
		}
		return ""
	})
}

// probe answers 200, or 503 with the reason.
func probe(d *api.Daemon, wrong func(*api.Status, error) string) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		ctx, stop := context.WithTimeout(q.Context(), answersWithin)
		defer stop()
		w.Header().Set("Cache-Control", "no-store")
		s, err := d.Status(ctx)
		if reason := wrong(&s, err); reason != "" {
			http.Error(w, reason, http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	}
}
