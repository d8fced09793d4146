package pipeline

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"rowhook/rules/events"
)

// strandedEvents are stored events that cannot go on, by site: their rules are gone, or nothing here can read them.
type strandedEvents struct {
	bySite map[string]events.Stranded
	since  time.Time
	told   time.Time
}

// tell says so, once and then each hour, and returns how long nothing is to be said.
func (s *strandedEvents) tell(log *slog.Logger) time.Duration {
	now := time.Now()
	if len(s.bySite) == 0 {
		return time.Hour
	}
	if wait := s.told.Add(tellAgain).Sub(now); wait > 0 {
		return wait
	}
	s.told = now
	for _, site := range slices.Sorted(maps.Keys(s.bySite)) {
		reason, fix := explainStranded(s.bySite[site])
		log.Error("stored events cannot go on, they stay in the outbox; others go on", slog.String("site", site), slog.String("reason", reason), slog.String("fix", fix))
	}
	return tellAgain
}

// explainStranded is why events do not go on, and what to do.
func explainStranded(is events.Stranded) (reason, fix string) {
	var reasons, fixes []string
	if n := is.Events - is.Unreadable; n > 0 {
		reasons = append(reasons, fmt.Sprintf("the rules that wanted stored events are gone (events: %d, rules: %s)", n, strings.Join(is.Rules, ", ")))
		fixes = append(fixes, "put the rules back under their names, and send SIGHUP")
	}
	if is.Unreadable > 0 {
		reasons = append(reasons, fmt.Sprintf("stored events cannot be read (events: %d, the first: %v)", is.Unreadable, is.First))
		fixes = append(fixes, "put back the rules that name their tables, and send SIGHUP; or restart rowhook in the version that wrote them")
	}
	return strings.Join(reasons, "; "), strings.Join(fixes, "; ")
}
