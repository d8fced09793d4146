package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"rowhook/deliver"
	"rowhook/words"
)

// Machine is a process of those that share an outbox.
type Machine struct {
	Name      string    `json:"name"`
	Here      bool      `json:"here"`             // it is the one that was asked
	Holds     bool      `json:"holds"`            // it holds the outbox: it follows the log, and does what commands want
	Reads     bool      `json:"reads"`            // it may; otherwise it has deliver: only
	SameRules bool      `json:"same_rules"`       // as the one that holds the outbox
	Endpoints []string  `json:"endpoints"`        // that it delivers to
	Seen      time.Time `json:"seen"`             // when it last said that it is there
	Silent    bool      `json:"silent,omitempty"` // that is so long ago that it may be gone
}

// Work is what a machine does, in a few words.
func (m *Machine) Work() string {
	does := "delivers"
	switch {
	case m.Holds && m.Reads:
		does = "follows the log"
	case m.Holds:
		does = "holds the outbox, follows no log"
	case !m.SameRules:
		does = "has other rules, delivers nothing"
	case !m.Reads:
		does = "delivers only"
	}
	if m.Here {
		does += " (this one)"
	}
	return does
}

// Peers are the other processes that share an outbox, as one of them reaches them.
type Peers interface {
	// Machines tells which there are, with this one, and what each has.
	Machines(ctx context.Context) ([]Machine, error)
	// Endpoints asks another one how the endpoints do that it delivers to.
	Endpoints(ctx context.Context, machine string) (deliver.Status, error)
	// Holder asks the one that holds the outbox how all does.
	Holder(ctx context.Context) (Status, error)
}

// How long others may take to answer: they may be gone without anybody having noticed.
const (
	peersWithin = time.Second
	// holderWithin is for the one that holds the outbox, which asks all others first.
	holderWithin = 3 * time.Second
)

// Whole is how all does: where machines share the outbox, what the others know as well. Who asks one machine gets the same of all.
func (d *Daemon) Whole(ctx context.Context) (Status, error) {
	s, err := d.Status(ctx)
	d.mu.Lock()
	peers := d.peers
	d.mu.Unlock()
	if err != nil || peers == nil || s.StandsBy {
		return s, err
	}
	if s.Member {
		asking, stop := context.WithTimeout(ctx, holderWithin)
		defer stop()
		if all, err := peers.Holder(asking); err == nil {
			return all.seenFrom(s.here()), nil
		}
	}
	s.complete(ctx, peers)
	return s, nil
}

// Endpoints is how all endpoints do, whoever delivers to them.
func (d *Daemon) Endpoints(ctx context.Context) (deliver.Status, error) {
	d.mu.Lock()
	worker, peers := d.worker, d.peers
	d.mu.Unlock()
	if worker == nil {
		return deliver.Status{}, nil
	}
	s := Status{Endpoints: worker.Status(ctx).Endpoints}
	if peers != nil {
		var err error
		if s.Machines, err = peers.Machines(ctx); err != nil {
			return deliver.Status{}, fmt.Errorf("%w: %w", ErrAway, err)
		}
		s.complete(ctx, peers)
	}
	return deliver.Status{Endpoints: s.Endpoints}, nil
}

// here is the name of the process that was asked.
func (s *Status) here() string {
	for _, m := range s.Machines {
		if m.Here {
			return m.Name
		}
	}
	return ""
}

// seenFrom is a status of another process as this one shows it.
func (s Status) seenFrom(here string) Status {
	s.Machines = slices.Clone(s.Machines)
	for i := range s.Machines {
		s.Machines[i].Here = s.Machines[i].Name == here
	}
	return s
}

// complete asks the other machines how their endpoints do, all at once. Of one that does not answer is told whose it is.
func (s *Status) complete(ctx context.Context, peers Peers) {
	ctx, stop := context.WithTimeout(ctx, peersWithin)
	defer stop()
	owner := make(map[string]string)
	var mu sync.Mutex
	told := make(map[string]deliver.EndpointStatus)
	var asking sync.WaitGroup
	for _, m := range s.Machines {
		for _, name := range m.Endpoints {
			owner[name] = m.Name
		}
		if m.Here || len(m.Endpoints) == 0 {
			continue
		}
		asking.Go(func() {
			is, err := peers.Endpoints(ctx, m.Name)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, e := range is.Endpoints {
				if !e.Elsewhere {
					told[e.Name] = e
				}
			}
		})
	}
	asking.Wait()
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		if e.Elsewhere {
			if is, ok := told[e.Name]; ok {
				rules := e.Rules
				*e = is
				e.Rules = rules
			}
		}
		e.Machine = owner[e.Name]
	}
}

// OutOfStep is the machine that holds the outbox, if this process has other rules and so delivers nothing; otherwise "".
func (s *Status) OutOfStep() string {
	holder := s.holder()
	for i := range s.Machines {
		if m := &s.Machines[i]; m.Here && m.outOfStep(holder) {
			return holder
		}
	}
	return ""
}

// holder is the machine that holds the outbox; "": none does.
func (s *Status) holder() string {
	for _, m := range s.Machines {
		if m.Holds {
			return m.Name
		}
	}
	return ""
}

func (m *Machine) outOfStep(holder string) bool { return !m.SameRules && !m.Holds && holder != "" }

// otherRules are those machines that have other rules than the one that holds the outbox.
func (s *Status) otherRules() (all []Trouble) {
	holder := s.holder()
	for _, m := range s.Machines {
		if !m.outOfStep(holder) {
			continue
		}
		all = append(all, Trouble{
			Kind: OtherRules, NeedsYou: true, State: "other rules", What: "Machine " + m.Name, Name: m.Name,
			Text: "Its rules are not those of " + holder + ", which holds the outbox: nothing is delivered from there, and what it was to deliver the others do. " +
				"Make the rule files of all machines the same, then reload the one that was behind:",
			Fix: []string{"systemctl reload rowhook"},
		})
	}
	return all
}

// unread is why nobody reads the log where machines share the outbox; nil: somebody does.
func (s *Status) unread() *Trouble {
	t := &Trouble{Kind: ReaderStopped, NeedsYou: true, State: "stopped", What: "Reading the log"}
	const meanwhile = " What is stored goes out meanwhile, and as long as the database keeps its log, nothing is lost."
	i := slices.IndexFunc(s.Machines, func(m Machine) bool { return m.Holds })
	switch {
	case s.Member && i >= 0 && !s.Machines[i].Silent: // it lives, and has much to do
		return nil
	case s.Member && i >= 0:
		t.Text = "Machine " + s.Machines[i].Name + ", which holds the outbox, does not answer this one. If it is gone, another one goes on within seconds." + meanwhile
	case s.Member:
		t.Text = "No machine holds the outbox at this moment: one that may follow the log goes on within seconds." + meanwhile
	case s.Resting:
		t.Text = "No machine follows the log: those that run have deliver: only." + meanwhile + " Start rowhook on a machine without that:"
		t.Fix = []string{"systemctl start rowhook"}
	default:
		return nil
	}
	return t
}

// MachineLines are the machines as lines of a table: what they are called, what they do, and how much they deliver to.
func (s *Status) MachineLines() (lines [][3]string) {
	for i := range s.Machines {
		m := &s.Machines[i]
		lines = append(lines, [3]string{m.Name, m.Work(), words.Count(len(m.Endpoints), "endpoint", "endpoints")})
	}
	slices.SortFunc(lines, func(a, b [3]string) int { return cmp.Compare(strings.ToLower(a[0]), strings.ToLower(b[0])) })
	return lines
}
