package pipeline

import (
	"context"
	"testing"

	"rowhook/outbox"
	"rowhook/rules"
)

// everything is the one endpoint that all rules of a test post to: deliveries have their order there.
const everything = "everything"

// routeAll sends the deliveries of all rules there.
func routeAll(t *testing.T, store outbox.Queue, list []*rules.Rule) {
	t.Helper()
	routes := map[string]string{}
	for _, r := range list {
		routes[r.Name] = everything
	}
	if _, err := store.Route(t.Context(), routes); err != nil {
		t.Fatal(err)
	}
}

// claim waits for deliveries with a number > after.
func claim(ctx context.Context, store outbox.Queue, after int64, limit int) ([]*outbox.Stored, error) {
	for {
		list, err := store.Claim(ctx, everything, after, limit)
		if err != nil || len(list) > 0 {
			return list, err
		}
		select {
		case <-store.Wake(everything):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// crowd is an outbox where too much lies undelivered until it is let go.
type crowd struct {
	outbox.Store
	asked chan struct{} // gets a token when somebody asks
	gone  chan struct{} // closed: no more
}

func (c *crowd) Due(context.Context) (map[string]outbox.Due, error) {
	select {
	case <-c.gone:
		return nil, nil
	default:
	}
	signal(c.asked)
	return map[string]outbox.Due{everything: {Count: aheadCount}}, nil
}

// TestBackpressureHoldsTheReader: while too much lies undelivered for an endpoint that keeps up, nothing more is made of
// the log.
func TestBackpressureHoldsTheReader(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	c := &crowd{Store: b.store, asked: make(chan struct{}, 1), gone: make(chan struct{})}
	b.store = c
	b.run()
	b.src.write(txn{b.coupon(0, 1, "a")})
	b.next(0, 1) // nobody knew yet
	<-c.asked
	b.src.write(txn{b.coupon(0, 2, "b")})
	<-c.asked // what was on its way when the first answer came is in the store by now
	<-c.asked
	if list, err := c.Claim(t.Context(), everything, 1, 1); err != nil || len(list) > 0 {
		t.Errorf("%d more deliveries were made, %v", len(list), err)
	}
	close(c.gone)
	b.next(1, 1)
}
