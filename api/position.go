package api

import (
	"context"
	"errors"
	"time"

	"rowhook/cdc"
	"rowhook/pipeline"
)

// ShownPosition is a position that an outbox holds, and what the server says to it.
type ShownPosition struct {
	Position  cdc.Position          `json:"position"`
	Events    int                   `json:"open_events"`
	Stopped   []pipeline.SiteStatus `json:"stopped_sites,omitempty"` // they are at positions of their own
	Server    string                `json:"server,omitempty"`
	Error     string                `json:"error,omitempty"` // why the daemon could not go on; then all that follows is missing
	End       *cdc.Coord            `json:"end,omitempty"`
	Behind    *uint64               `json:"behind_bytes,omitempty"`
	Verified  bool                  `json:"verified,omitempty"`
	Last      time.Time             `json:"last_committed,omitzero"`
	Retention float64               `json:"retention_seconds,omitempty"` // missing: until somebody removes it
	Hidden    bool                  `json:"retention_hidden,omitempty"`  // the hosting may remove it at any time, or does not show when
	Limit     uint64                `json:"limit_bytes,omitempty"`       // of all files: the oldest goes when they are larger
	Until     time.Time             `json:"kept_until,omitzero"`         // missing while the file is being written
}

// PositionChange is a position that a person set.
type PositionChange struct {
	Old    *cdc.Position `json:"old,omitempty"` // missing when there was none
	New    cdc.Position  `json:"new"`
	Behind uint64        `json:"behind_bytes"` // of log that will be read
	Events int           `json:"open_events"`  // on their way, which are kept
}

// LookForStopped finds out how long the server keeps the log that stopped sites need. What it does not answer stays as the
// daemon last knew it.
func (p *ShownPosition) LookForStopped(ctx context.Context, source Source) {
	for _, s := range p.Stopped {
		if s.Stop == nil {
			continue
		}
		st, err := source.Standing(ctx, s.Stop.Position)
		if stop, ok := errors.AsType[*cdc.StopError](err); ok && stop.Gone {
			s.Stop.Kept = pipeline.LogKept{Missing: true}
		} else if err == nil {
			s.Stop.Kept = pipeline.KeptOf(st, time.Now())
		}
	}
}

// Take takes in how the position stands to the server's log.
func (p *ShownPosition) Take(st cdc.Standing) {
	p.End, p.Behind, p.Verified, p.Last = &st.End, &st.Behind, st.Verified, st.Last
	p.Retention, p.Hidden, p.Limit, p.Until = st.Retention.Seconds(), st.Hidden, st.Limit, st.Until
}
