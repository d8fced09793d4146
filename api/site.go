package api

import "rowhook/pipeline"

// SiteList is how all sites stand.
type SiteList struct {
	Daemon bool                  `json:"daemon"`           // it runs; otherwise why events wait is not known
	Holder string                `json:"holder,omitempty"` // where machines share an outbox: the process elsewhere that works on it
	Sites  []pipeline.SiteStatus `json:"sites"`
}
