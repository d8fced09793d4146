package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rowhook/outbox"
)

// fetchLimit is how many fresh deliveries are taken from the outbox at a time, pageLimit how many are read back.
const (
	fetchLimit = 256
	pageLimit  = 128
)

// rulesSetting is where the outbox remembers which rules had an endpoint: those that are missing later are gone.
const rulesSetting = "deliver_rules"

// router hands fresh deliveries to the lanes, and starts and stops lanes as the rules change.
type router struct {
	*Worker
	group *errgroup.Group
	asks  chan int64              // for fetch: after which Seq to read
	fresh chan []*outbox.Delivery // what fetch read
}

// fetch waits for fresh deliveries whenever it is asked to.
func (r *router) fetch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case after := <-r.asks:
			list, err := r.store.Next(ctx, after, fetchLimit)
			if err != nil {
				return fmt.Errorf("reading deliveries: %w", err)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case r.fresh <- list:
			}
		}
	}
}

func (r *router) run(ctx context.Context) error {
	if err := r.remembered(ctx); err != nil {
		return err
	}
	var after int64
	asked := false
	for {
		if err := r.change(ctx); err != nil {
			return err
		}
		if !asked && r.hungry() {
			r.asks <- after
			asked = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.reload:
		case <-r.roomy:
		case list := <-r.fresh:
			asked = false
			after = list[len(list)-1].Seq
			// Rules may have changed while this list was waited for, and it may hold deliveries of the new ones.
			if err := r.change(ctx); err != nil {
				return err
			}
			if err := r.route(ctx, list); err != nil {
				return err
			}
			r.routed.Store(after)
		}
	}
}

// hungry tells whether a lane has room. While none has, what is fresh stays in the outbox as it is.
func (r *router) hungry() bool {
	for _, l := range r.lanes {
		if l.hungry() {
			return true
		}
	}
	return len(r.lanes) == 0
}

// route hands each delivery to its rule's lane. Without a rule it is held.
func (r *router) route(ctx context.Context, list []*outbox.Delivery) error {
	targets := *r.targets.Load()
	parts := make(map[*lane][]*outbox.Delivery)
	var held []outbox.Outcome
	for _, d := range list {
		if t := targets[d.Rule]; t != nil {
			l := r.lanes[t.lane]
			parts[l] = append(parts[l], d)
		} else {
			held = append(held, outbox.Outcome{Seq: d.Seq, State: outbox.Held})
		}
	}
	for l, part := range parts {
		if err := l.offer(ctx, part); err != nil {
			return err
		}
	}
	if len(held) == 0 {
		return nil
	}
	return r.settle(ctx, held)
}

// remembered reads which rules had an endpoint when the last run ended, as if they had one now: the first change then
// finds those that went meanwhile.
func (r *router) remembered(ctx context.Context) error {
	text, err := r.store.Meta(ctx, rulesSetting)
	if err != nil {
		return fmt.Errorf("reading the rules of the last run: %w", err)
	}
	var rules []string
	if text != "" {
		if err := json.Unmarshal([]byte(text), &rules); err != nil {
			return fmt.Errorf("reading the rules of the last run: %w", err)
		}
	}
	old := make(map[string]*target, len(rules))
	for _, rule := range rules {
		old[rule] = nil
	}
	r.targets.Store(&old)
	return nil
}

// change goes over to the wanted endpoints, if there are new ones. A lane whose rules are not the same any more is
// stopped and a new one started; the others only get their new addresses and secrets.
func (r *router) change(ctx context.Context) error {
	r.mu.Lock()
	wanted := r.wanted
	r.wanted = nil
	r.mu.Unlock()
	if wanted == nil {
		return nil
	}
	old := *r.targets.Load()
	rules := make(map[string][]string) // by lane
	for _, rule := range slices.Sorted(maps.Keys(wanted)) {
		rules[wanted[rule].lane] = append(rules[wanted[rule].lane], rule)
	}
	if err := r.stopLanes(ctx, rules); err != nil {
		return err
	}
	r.targets.Store(&wanted)
	if err := r.reconcile(ctx, old, wanted); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, of := range rules {
		if r.lanes[name] == nil {
			l := newLane(r.Worker, name, of)
			r.lanes[name] = l
			own, stop := context.WithCancelCause(ctx)
			l.stop = stop
			r.group.Go(func() error { return l.run(own) })
		}
	}
	return nil
}

// stopLanes stops the lanes whose rules are not as they shall be, all at once, and waits for them.
func (r *router) stopLanes(ctx context.Context, rules map[string][]string) error {
	var stopped []*lane
	for name, l := range r.lanes {
		if !slices.Equal(l.rules, rules[name]) {
			l.stop(errReload)
			stopped = append(stopped, l)
		}
	}
	for _, l := range stopped {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.done:
		}
		r.mu.Lock()
		delete(r.lanes, l.name)
		r.mu.Unlock()
	}
	return nil
}

// reconcile holds what waits for rules that are gone, and releases what is held for rules that are there.
func (r *router) reconcile(ctx context.Context, old, now map[string]*target) error {
	var gone, added []string
	for rule := range old {
		if _, ok := now[rule]; !ok {
			gone = append(gone, rule)
		}
	}
	for rule := range now {
		if t := old[rule]; t == nil { // also at start: it may have been released, but not remembered
			added = append(added, rule)
		}
	}
	if err := r.move(ctx, gone, outbox.Waiting, outbox.Held); err != nil {
		return err
	}
	if err := r.move(ctx, added, outbox.Held, outbox.Waiting); err != nil {
		return err
	}
	names, err := json.Marshal(slices.Sorted(maps.Keys(now)))
	if err != nil {
		return err
	}
	if err := r.store.SetMeta(ctx, rulesSetting, string(names)); err != nil {
		return fmt.Errorf("remembering the rules: %w", err)
	}
	return nil
}

// move changes the state of all deliveries of rules that are in another.
func (r *router) move(ctx context.Context, rules []string, from, to outbox.State) error {
	if len(rules) == 0 {
		return nil
	}
	slices.Sort(rules)
	moved := 0
	for after := int64(0); ; {
		list, err := r.store.List(ctx, outbox.Filter{States: []outbox.State{from}, Rules: rules, After: after, Limit: pageLimit})
		if err != nil {
			return fmt.Errorf("reading deliveries: %w", err)
		}
		if len(list) == 0 {
			break
		}
		now := time.Now()
		outcomes := make([]outbox.Outcome, len(list))
		for i, s := range list {
			outcomes[i] = outbox.Outcome{Seq: s.Seq, State: to, Attempts: s.Attempts}
			if to == outbox.Waiting {
				outcomes[i].Due = now
			}
		}
		if err := r.settle(ctx, outcomes); err != nil {
			return err
		}
		after = list[len(list)-1].Seq
		moved += len(list)
	}
	if moved > 0 {
		r.log.Info("deliveries of rules that are gone or back", slog.String("state", to.String()), slog.Int("deliveries", moved),
			slog.Any("rules", rules))
	}
	return nil
}
