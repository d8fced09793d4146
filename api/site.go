package api

import (
	"context"

	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/rules"
)

// SiteList is how all sites stand.
type SiteList struct {
	Daemon    bool       `json:"daemon"`              // it runs; otherwise why events wait is not known
	Waits     bool       `json:"waits,omitempty"`     // it runs, and does not follow the log yet: the sites are as they were stored
	Hindrance *Hindrance `json:"hindrance,omitempty"` // why it does not, when that is known
	Holder    string     `json:"holder,omitempty"`    // where machines share an outbox: the process elsewhere that works on it
	Sites     []Site     `json:"sites"`
}

// SiteLog is what of an outbox tells of sites.
type SiteLog interface {
	Resume(ctx context.Context) (outbox.Resume, error)
}

// ReadSites is how the sites of these names stood when a daemon last stored something.
func ReadSites(ctx context.Context, log SiteLog, names []string) ([]Site, error) {
	stored, err := pipeline.ReadStored(ctx, log)
	if err != nil || stored == nil {
		stored = &pipeline.Stored{}
	}
	return stored.StoredSites(names), err
}

// SiteOf is the name of the site that a row of a list of sites is about: tables of a site that rules name can be stopped by
// themselves, and each has a row of its own then, salon+posts.
func SiteOf(row string) string { return rules.SiteOf(row) }

// MakeUp is the command that posts, as it is then, what a stopped site leaves out when it goes on.
func MakeUp(s *Site) string {
	command := "rowhook backfill --rule NAME --site " + rules.SiteOf(s.Name)
	if !s.Read.IsZero() {
		command += " --since " + s.Read.UTC().Format("2006-01-02T15:04")
	}
	return command
}
