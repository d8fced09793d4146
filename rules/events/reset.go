package events

import (
	"fmt"
	"strings"

	"rowhook/cdc"
)

// IsEvent says whether a record is of an event that is not a delivery yet.
func (r Record) IsEvent() bool { return strings.HasPrefix(r.Key, eventPrefix) }

// Site is the site that an event's record names, empty when it cannot be read.
func (r Record) Site() string {
	v, err := parseEventRecord(r)
	if err != nil {
		return ""
	}
	return v.Site
}

// Detach makes the records of a store such that they can be taken into another history of the log, and returns those
// that are other than before. Events that are not deliveries yet keep their places among each other, but where they ended
// in the log means nothing any more: they are loaded as they are now, and take in no later change. Statuses that fired
// are forgotten, for the same status in another history is another one; and so is a transaction that was applied in part.
func Detach(records []Record) ([]Record, error) {
	var changed []Record
	for _, r := range records {
		switch {
		case strings.HasPrefix(r.Key, firedPrefix), strings.HasPrefix(r.Key, progressPrefix), strings.HasPrefix(r.Key, makingPrefix),
			strings.HasPrefix(r.Key, restorePrefix):
			changed = append(changed, Record{Key: r.Key})
		case r.IsEvent():
			v, err := parseEventRecord(r)
			if err == nil {
				v.Last, v.GTID, v.Sealed = cdc.Coord{}, "", true
				r = v.record(r.Key)
			}
			if err != nil {
				return nil, fmt.Errorf("reading the open event %s: %w", r.Key, err)
			}
			changed = append(changed, r)
		}
	}
	return changed, nil
}
