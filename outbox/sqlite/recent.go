package sqlite

import "rowhook/outbox"

// recent keeps the newest deliveries in memory, without a gap up to the last one, so that what was just committed is sent
// without being read back. When they grow over max bytes the oldest go first: a reader that lags behind reads the file.
type recent struct {
	list  []*outbox.Delivery
	last  int64 // the last sequence number given, in the list or not
	bytes int
	max   int
}

// overhead is roughly what a delivery takes in memory beside its body.
const overhead = 512

// add appends the delivery that follows the last one.
func (r *recent) add(d *outbox.Delivery) {
	r.list = append(r.list, d)
	r.last = d.Seq
	r.bytes += len(d.Body) + overhead
	for r.bytes > r.max && len(r.list) > 1 {
		r.drop()
	}
}

// settled lets go of what lies at or below the low-water mark: nobody asks for it again.
func (r *recent) settled(low int64) {
	for len(r.list) > 0 && r.list[0].Seq <= low {
		r.drop()
	}
}

func (r *recent) drop() {
	r.bytes -= len(r.list[0].Body) + overhead
	r.list[0] = nil
	r.list = r.list[1:]
}

// first is the sequence number from which on everything is in memory.
func (r *recent) first() int64 { return r.last + 1 - int64(len(r.list)) }

// after returns up to limit deliveries beyond seq that are not in done. Seq is not below first()-1.
func (r *recent) after(seq int64, limit int, done *marks) []*outbox.Delivery {
	var found []*outbox.Delivery
	for _, d := range r.list[min(seq-r.first()+1, int64(len(r.list))):] {
		if len(found) == limit {
			break
		}
		if !done.has(d.Seq) {
			found = append(found, d)
		}
	}
	return found
}
