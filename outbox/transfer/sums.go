package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"rowhook/outbox"
)

// kind is of what an outbox has many.
type kind int

const (
	deliveries kind = iota
	attempts
	records
	settings
	routes
	endpoints
	hours
	rules
	events
	state
	kinds
)

func (k kind) String() string {
	return [...]string{"deliveries", "attempts", "records", "settings", "routes", "endpoints", "hours", "rules", "events", "state"}[k]
}

// Sum is how many there are of a kind, and a digest of all that they are.
type Sum struct {
	N      int64
	Digest [sha256.Size]byte
}

// Sums are those of a whole outbox.
type Sums struct {
	sums  [kinds]Sum
	Bytes int64 // of all payloads
}

// Counts are of what there is how much, by name: deliveries, attempts...
func (s *Sums) Counts() map[string]int64 {
	counts := make(map[string]int64)
	for k := range state {
		counts[k.String()] = s.sums[k].N
	}
	return counts
}

// Compare tells in what another outbox differs.
func (s *Sums) Compare(o Sums) error {
	var unequal []string
	for k, was := range s.sums {
		switch is := o.sums[k]; {
		case was.N != is.N:
			unequal = append(unequal, fmt.Sprintf("of %v there are %d instead of %d", kind(k), is.N, was.N))
		case was.Digest != is.Digest && kind(k) == state:
			unequal = append(unequal, "the position, the uptime or the last number differ")
		case was.Digest != is.Digest:
			unequal = append(unequal, fmt.Sprintf("%v are as many, but differ", kind(k)))
		}
	}
	if len(unequal) > 0 {
		return fmt.Errorf("%w: %s", ErrUnequal, strings.Join(unequal, "; "))
	}
	return nil
}

// Read takes the sums of an outbox.
func Read(ctx context.Context, from Source) (Sums, error) {
	var d digest
	for k := range d.of {
		d.of[k].hash = sha256.New()
	}
	err := from.Export(ctx, func(_ context.Context, p *Part) error {
		d.take(p)
		return nil
	})
	return d.sums(), err
}

// digest is sums in the making.
type digest struct {
	of    [kinds]running
	bytes int64
}

type running struct {
	n    int64
	hash hash.Hash
	line []byte
}

// add takes in one more. Each value is written with its length, so that no two rows of values are one text.
func (r *running) add(values ...any) {
	r.n++
	r.line = r.line[:0]
	for _, v := range values {
		switch v := v.(type) {
		case string:
			r.line = append(binary.AppendUvarint(r.line, uint64(len(v))), v...)
		case []byte:
			r.line = append(binary.AppendUvarint(r.line, uint64(len(v))), v...)
		case int64:
			r.line = binary.AppendVarint(r.line, v)
		case int:
			r.line = binary.AppendVarint(r.line, int64(v))
		case bool:
			r.line = append(r.line, 0)
			if v {
				r.line[len(r.line)-1] = 1
			}
		case time.Duration:
			r.line = binary.AppendVarint(r.line, v.Microseconds())
		case time.Time:
			micros := int64(0)
			if !v.IsZero() {
				micros = v.UnixMicro()
			}
			r.line = binary.AppendVarint(r.line, micros)
		default:
			panic(fmt.Sprintf("a %T has no digest", v))
		}
	}
	_, _ = r.hash.Write(r.line) // it never fails
	if cap(r.line) > PartBytes {
		r.line = nil
	}
}

func (d *digest) sums() (s Sums) {
	s.Bytes = d.bytes
	for k := range d.of {
		s.sums[k].N = d.of[k].n
		d.of[k].hash.Sum(s.sums[k].Digest[:0])
	}
	return s
}

func (d *digest) take(p *Part) {
	if p.Head != nil {
		d.head(p.Head)
	}
	for _, r := range p.Records {
		d.of[records].add(r.Owner, r.Key, r.Data)
	}
	for _, one := range p.Deliveries {
		d.delivery(one)
	}
}

// head takes in what has no order of its own, by name.
func (d *digest) head(h *Head) {
	h.sort()
	d.of[state].add(h.Checkpoint != nil, h.Checkpoint, h.Last, h.Uptime)
	for _, s := range h.Settings {
		d.of[settings].add(s.Key, s.Value)
	}
	for _, r := range h.Routes {
		d.of[routes].add(r.Rule, r.Endpoint)
	}
	for _, e := range h.Endpoints {
		d.of[endpoints].add(append([]any{e.Name, e.Last, e.Count, e.Bytes}, tally(&e.Tally)...)...)
		for _, hour := range e.Hours {
			d.of[hours].add(append([]any{e.Name, hour.Start}, tally(&hour.Tally)...)...)
		}
	}
	for _, r := range h.Rules {
		values := []any{r.Name, r.Ever.Delivered, r.Ever.Failed, r.Ever.Dead}
		for _, n := range r.States {
			values = append(values, n)
		}
		d.of[rules].add(values...)
	}
	for _, e := range h.Events {
		d.of[events].add(e.Site, e.Kind, e.N)
	}
}

func tally(t *outbox.Tally) []any {
	values := []any{t.Delivered, t.Failed, t.Dead, t.Took}
	for _, n := range t.Times {
		values = append(values, n)
	}
	return values
}

func (d *digest) delivery(one *Delivery) {
	d.bytes += int64(len(one.Body))
	d.of[deliveries].add(one.Seq, one.Endpoint, one.Number, one.ID[:], one.Rule, one.Site, one.Action, one.Kind,
		outbox.JoinKeys(one.Keys), one.Object, outbox.JoinKeys(one.Omitted), one.AsOf, one.Created, one.Body,
		int(one.State), one.Attempts, one.Due, one.Retried, one.Kept, one.Since, one.Failing, one.Erased)
	for i := range one.Tried {
		a := &one.Tried[i]
		d.of[attempts].add(one.Seq, a.N, a.At, a.Latency, a.Status, a.Error, a.Response)
	}
}

func (h *Head) sort() {
	slices.SortFunc(h.Settings, func(a, b Setting) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(h.Routes, func(a, b Route) int { return cmp.Compare(a.Rule, b.Rule) })
	slices.SortFunc(h.Endpoints, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(h.Rules, func(a, b Rule) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(h.Events, func(a, b outbox.EventCount) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Kind, b.Kind))
	})
}
