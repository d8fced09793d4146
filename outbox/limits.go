package outbox

import "fmt"

// Limits are what one commit can take. What exceeds them is committed in parts, or made smaller.
type Limits struct {
	Deliveries int   // in one batch; more only stall
	Records    int   // in one batch
	Bytes      int64 // of all payloads and records of one batch, and of its position
	Payload    int64 // of one payload
}

// Check returns an error that wraps ErrTooLarge, and names what is too large, when a batch exceeds the limits.
func (l Limits) Check(b *Batch) error {
	if n := len(b.Deliveries); n > l.Deliveries {
		return fmt.Errorf("%w: %d deliveries, it takes %d", ErrTooLarge, n, l.Deliveries)
	}
	if n := len(b.Open); n > l.Records {
		return fmt.Errorf("%w: %d records, it takes %d", ErrTooLarge, n, l.Records)
	}
	bytes := int64(len(b.Checkpoint))
	for _, r := range b.Open {
		bytes += int64(len(r.Data))
	}
	for _, d := range b.Deliveries {
		size := int64(len(d.Body))
		if size > l.Payload {
			return fmt.Errorf("%w: a payload of %d bytes in delivery %s of rule %q, it takes %d", ErrTooLarge, size, d.ID, d.Rule, l.Payload)
		}
		bytes += size
	}
	if bytes > l.Bytes {
		return fmt.Errorf("%w: %d bytes, it takes %d", ErrTooLarge, bytes, l.Bytes)
	}
	return nil
}
