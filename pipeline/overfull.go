package pipeline

import "rowhook/loader"

// detachOverfull detaches sites that too many events wait of: it is their own trouble, and no reason for others to wait, nor for
// memory to grow.
func (s *sites) detachOverfull() {
	if s.common.engine.Applying() { // a site leaves between two transactions
		return
	}
	var most *lane
	for l := range s.lanes.active {
		switch {
		case s.detached[l.site] != nil:
		case l.outage.text != "" && len(l.waiting) >= maxInLanes/4 && len(s.cfg.Sites) > 1: // else it is everybody's
			s.detachFull(l, l.outage.text, "")
		case most == nil || l.held.bytes > most.held.bytes:
			most = l
		}
	}
	if s.lanes.held.bytes <= maxHeldBytes/2 || most == nil || most.held.bytes == 0 {
		return
	}
	why := most.held.first()
	s.detachFull(most, loader.Reason(why.err), loader.Fix(why.err))
}

// detachFull stops reading for a site until its events are loaded.
func (s *sites) detachFull(l *lane, reason, fix string) {
	s.detach(l.site, Stop{Reason: reason, Fix: fix, Full: true})
}
