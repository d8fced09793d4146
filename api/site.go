package api

import "rowhook/pipeline"

// SiteList is how all sites stand.
type SiteList struct {
	Daemon bool                  `json:"daemon"` // it runs; otherwise why events wait is not known
	Sites  []pipeline.SiteStatus `json:"sites"`
}
