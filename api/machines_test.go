package api

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/deliver"
	"rowhook/outbox"
)

// installation are three machines that share an outbox, of which c is gone without anybody having noticed.
type installation struct {
	here string
	all  map[string]*Daemon
}

// lives is a machine that answers.
func (i installation) lives(name string) (*Daemon, error) {
	if d := i.all[name]; d != nil {
		return d, nil
	}
	return nil, errors.New("it is off")
}

func (i installation) Machines(context.Context) (list []Machine, _ error) {
	for _, m := range []Machine{
		{Name: "a", Holds: true, Reads: true, SameRules: true, Endpoints: []string{"http://a"}},
		{Name: "b", Reads: true, SameRules: true, Endpoints: []string{"http://b"}},
		{Name: "c", SameRules: true, Endpoints: []string{"http://c"}},
		{Name: "d"},
	} {
		m.Here = m.Name == i.here
		list = append(list, m)
	}
	return list, nil
}

func (i installation) Endpoints(ctx context.Context, machine string) (s deliver.Status, err error) {
	d, err := i.lives(machine)
	if err == nil {
		var is Status
		is, err = d.Status(ctx)
		s.Endpoints = is.Endpoints
	}
	return s, err
}

func (i installation) Holder(ctx context.Context) (s Status, err error) {
	d, err := i.lives("a")
	if err == nil {
		s, err = d.Whole(ctx)
	}
	return s, err
}

// TestWhole: whichever machine is asked, the answer is the same: what each of them knows of its endpoints, and whose the others are.
func TestWhole(t *testing.T) {
	t.Parallel()
	all := make(map[string]*Daemon)
	for _, name := range []string{"a", "b"} {
		d := New()
		if peers := (installation{name, all}); name == "a" {
			d.Holds(store{}, peers)
		} else {
			d.Joins(store{}, peers)
		}
		d.Delivers(shareOf(name))
		all[name] = d
	}
	for _, asked := range []string{"a", "b", "b alone"} {
		d := all[asked[:1]]
		if asked == "b alone" {
			delete(all, "a")
		}
		s, err := d.Whole(t.Context())
		if err != nil || len(s.Machines) != 4 || s.here() != asked[:1] || s.Member != (asked == "b alone") {
			t.Fatalf("%s says %+v, %v", asked, s, err)
		}
		some, err := d.Endpoints(t.Context())
		if err != nil || len(some.Endpoints) != 3 {
			t.Errorf("%s says %+v, %v", asked, some, err)
		}
		for _, e := range slices.Concat(s.Endpoints, some.Endpoints) {
			whose := e.Name[len("http://"):]
			silent := whose == "c" || asked == "b alone" && whose == "a"
			if e.Machine != whose || e.Elsewhere != silent || !silent && e.LastError != "of "+whose {
				t.Errorf("%s says of %s: %+v", asked, e.Name, e)
			}
		}
	}
	lines := (&Status{Machines: []Machine{{Name: "b", SameRules: true}, {Name: "a", Holds: true, Reads: true, Here: true, Endpoints: []string{"x"}}, {Name: "c", Reads: true}, {Name: "d", Holds: true}}}).MachineLines()
	want := [][3]string{{"a", "follows the log (this one)", "1 endpoint"}, {"b", "delivers only", "0 endpoints"}, {"c", "has other rules, delivers nothing", "0 endpoints"}, {"d", "holds the outbox, follows no log", "0 endpoints"}}
	if !slices.Equal(lines, want) {
		t.Errorf("got %v", lines)
	}
}

// slowly are machines of which one does not answer, without anybody having noticed.
type slowly struct{ installation }

func (s slowly) Endpoints(ctx context.Context, machine string) (deliver.Status, error) {
	if machine == "c" {
		<-ctx.Done()
		return deliver.Status{}, ctx.Err()
	}
	return s.installation.Endpoints(ctx, machine)
}

func (s slowly) Holder(ctx context.Context) (Status, error) {
	is, err := s.installation.Holder(ctx)
	select {
	case <-time.After(100 * time.Millisecond): // on its way
	case <-ctx.Done():
		err = ctx.Err()
	}
	return is, err
}

// TestOneIsDead: a machine that is gone does not make the others say that nothing is read.
func TestOneIsDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all := map[string]*Daemon{"a": New(), "b": New()}
		all["a"].Holds(store{}, slowly{installation{"a", all}})
		all["b"].Joins(store{}, slowly{installation{"b", all}})
		for name, d := range all {
			d.Delivers(shareOf(name))
		}
		s, err := all["b"].Whole(t.Context())
		if err != nil || s.Member || s.here() != "b" {
			t.Errorf("it does not say what the one says that holds the outbox: %+v, %v", s, err)
		}
	})
}

// shareOf is what a machine says of the endpoints of three.
type shareOf string

func (w shareOf) Status(context.Context) (s deliver.Status) {
	for _, name := range []string{"a", "b", "c"} {
		e := deliver.EndpointStatus{Name: "http://" + name, Elsewhere: name != string(w), DownSince: time.Time{}}
		if !e.Elsewhere {
			e.LastError = "of " + name
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return s
}

// store is an outbox without anything.
type store struct{}

func (store) Counts(context.Context) ([]outbox.Count, error) { return nil, nil }
func (store) Totals(context.Context) (outbox.Totals, error)  { return outbox.Totals{}, nil }
func (store) Size(context.Context) (int64, error)            { return 0, nil }
