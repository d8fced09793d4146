package main

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/config"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/retry"
	"rowhook/rules"
)

// member is this process while it delivers a share of an outbox that another machine holds.
type member struct {
	*machine
	store  *mysql.Member
	worker *deliver.Worker
	stop   context.CancelFunc // ends the worker
	ended  chan struct{}      // closed when it has ended
	err    error              // why, then
	sites  []config.Site      // that the console shows
}

// deliverShare delivers a share of the outbox until this process holds it, or its share is lost; the tenure is empty then. What is on
// its way ends beside whatever comes next.
func (a *machine) deliverShare(ctx context.Context, store *mysql.Member) (tenure, error) {
	m, err := a.newMember(ctx, store)
	if err != nil {
		return tenure{}, errors.Join(err, store.Close())
	}
	holds, err := m.until(ctx)
	a.between()
	if err != nil || ctx.Err() != nil {
		if err = errors.Join(err, m.end(ctx)); err != nil && holds.shared != nil {
			err = errors.Join(err, holds.Close()) // nobody else will
		}
		return holds, err
	}
	a.beside.Go(func() {
		if err := m.end(ctx); err != nil {
			a.log.Error("what this machine delivered to before is not handed over in order; others take it over when its lease is over", slog.Any("error", err))
		}
	})
	return holds, nil
}

func (a *machine) newMember(ctx context.Context, store *mysql.Member) (m *member, err error) {
	m = &member{machine: a, store: store, ended: make(chan struct{})}
	holder := control.NewRemote(func(ctx context.Context, request []byte) ([]byte, error) { return store.Ask(ctx, "", request) })
	o := a.deliverOptions()
	o.MayPost, o.Leases, o.Handover = store.Held, store, a.handover()
	if m.worker, err = deliver.New(memberOutbox{store, holder}, endpointsOf(a.cfg, a.set), o); err != nil {
		return nil, err
	}
	a.monitor.daemon.Joins(store, peers{store})
	a.monitor.daemon.Delivers(m.worker)
	m.show(ctx)
	store.Answer(func(ctx context.Context, request []byte) []byte {
		return control.Answer(ctx, control.HandlerOr(control.Refuse(errNotHolder), endpointsRoute(m.worker)), request)
	})
	carry := control.Carry(func(ctx context.Context, request []byte) ([]byte, error) { return store.Ask(ctx, "", request) })
	a.front.show(control.HandlerOr(carry, append(a.tellRoutes(), a.monitor.page.routes(m.worker)...)...))
	delivering, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	go func() {
		defer close(m.ended)
		m.err = m.worker.Run(delivering)
	}()
	return m, nil
}

// errNotHolder is what another machine is answered that took this one for the one that holds the outbox.
var errNotHolder = errors.New("another machine holds the outbox by now; try again")

// rulesEvery is how often it is looked which machines have other rules.
const rulesEvery = 10 * time.Second

// until waits for what ends this: it holds the outbox, its share is lost, or ctx ends.
func (m *member) until(ctx context.Context) (tenure, error) {
	m.log.Info("delivering a share of what the machines have that share the outbox; another one holds it", slog.String("machine", m.store.Name()))
	m.manager.Status("delivering its share; another machine follows the log")
	var other otherRules
	var holding retry.Trouble
	m.look(ctx, &other)
	looks, hourly := time.NewTicker(rulesEvery), time.NewTicker(time.Hour)
	defer looks.Stop()
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return tenure{}, nil
		case <-m.store.Lost():
			m.log.Warn("this machine may not deliver its share any more; it joins the others again", slog.Any("error", m.store.Why()))
			return tenure{}, nil
		case <-m.ended:
			if m.err != nil && !mayPass(m.err) {
				return tenure{}, m.err
			}
			m.log.Warn("this machine cannot deliver its share as it did; it joins the others again", slog.Any("error", m.err))
			return tenure{}, nil
		case <-m.store.Vacant():
			holds, err := sharedOutbox{m.cfg}.take(ctx, m.set, m.store, m.log)
			if err == nil {
				return holds, nil
			}
			if ctx.Err() == nil && !errors.Is(err, outbox.ErrLocked) {
				if holding.Worth(err) {
					m.log.Warn("nobody holds the outbox, and this machine cannot do so for now; trying again", slog.Any("error", err), slog.String("fix", "rowhook check"))
				}
				_ = retry.Pause(ctx, m.cfg.Outbox.MySQL.Lease/5) // ctx is looked at next
			}
		case <-looks.C:
			m.look(ctx, &other)
		case <-hourly.C:
			m.warnExposed()
		case <-m.hangups:
			m.wrong.Asked()
			stays := m.reload(ctx)
			m.warnExposed()
			if !stays {
				return tenure{}, nil
			}
		}
	}
}

// end stops delivering, and waits until what was delivered is handed over.
func (m *member) end(ctx context.Context) error {
	m.leaves(ctx, m.store)
	m.stop()
	<-m.ended
	return m.store.Close()
}

// leaves tells the others that this process is about to end: what is its goes to them, and does not come back to it. Where that fails
// they find out by themselves.
func (d *daemon) leaves(ctx context.Context, store interface {
	Tell(ctx context.Context, who mysql.Who) error
}) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), d.cfg.Outbox.MySQL.Lease/5)
	defer stop()
	_ = store.Tell(ctx, mysql.Who{})
}

// reload reads the rules again. It returns false when this process has to join the others anew: they could not be told, and who has
// other rules than they think posts what it should not.
func (m *member) reload(ctx context.Context) (stays bool) {
	m.manager.Reloading()
	defer m.manager.Reloaded()
	set, err := m.readAgain()
	m.notReloaded(err)
	if err != nil {
		return true
	}
	m.set = set
	telling, stop := context.WithTimeout(ctx, m.cfg.Outbox.MySQL.Lease/5)
	defer stop()
	if err := m.store.Tell(telling, whoOf(m.cfg, set)); err != nil { // before anything goes to where the new rules say
		m.log.Warn("the rules are read again, but the other machines could not be told of them; this one joins them anew with the new rules", slog.Any("error", err))
		return false
	}
	m.worker.SetEndpoints(endpointsOf(m.cfg, set))
	m.show(ctx)
	m.log.Info("the rules are reloaded", slog.Int("rules", len(set.Rules)))
	return true
}

// look looks what the other machines do. It takes not long, for who calls it watches whether the lease is free, too.
func (m *member) look(ctx context.Context, other *otherRules) {
	ctx, stop := context.WithTimeout(ctx, m.cfg.Outbox.MySQL.Lease/10)
	defer stop()
	other.look(ctx, m.log, m.store, m.store.Name())
	if c := *m.cfg; sitesIn(ctx, m.store, &c) == nil && !reflect.DeepEqual(c.Sites, m.sites) {
		m.shows(&c)
	}
}

// show has the console show the rules, and the sites that the holder follows.
func (m *member) show(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, m.cfg.Outbox.MySQL.Lease/10)
	defer stop()
	c := *m.cfg
	if err := sitesIn(ctx, m.store, &c); err != nil {
		m.log.Warn("which sites are followed is not known here", slog.Any("error", err))
	}
	m.shows(&c)
}

func (m *member) shows(c *config.Config) {
	m.sites = c.Sites
	m.monitor.show(c, m.set)
}

// memberOutbox is an outbox that another machine holds, which is asked for what that one alone may do.
type memberOutbox struct {
	*mysql.Member
	holder *control.Client
}

// CompareAndSet has the holder change a setting.
func (o memberOutbox) CompareAndSet(ctx context.Context, key, old, value string) error {
	changed, err := control.Ask[setting, bool](ctx, o.holder, settingsRoute, setting{key, old, value})
	if err == nil && !changed {
		return outbox.ErrChanged
	}
	return err
}

// settingsRoute is for settings that another machine wants changed.
const settingsRoute = "settings"

type setting struct{ Key, Old, Value string }

func settingRoute(store outbox.Settings) control.Route {
	return control.Handle(settingsRoute, func(ctx context.Context, s setting) (changed bool, err error) {
		err = store.CompareAndSet(ctx, s.Key, s.Old, s.Value)
		if errors.Is(err, outbox.ErrChanged) {
			return false, nil
		}
		return err == nil, err
	})
}

// endpointsRoute tells other machines how the endpoints of this one do.
func endpointsRoute(worker *deliver.Worker) control.Route {
	return control.Endpoints(func(ctx context.Context) (deliver.Status, error) { return worker.Status(ctx), nil })
}

// whole is a daemon that is asked how all does.
type whole struct{ *api.Daemon }

// Status is of all machines.
func (w whole) Status(ctx context.Context) (api.Status, error) { return w.Whole(ctx) }

// peers are the machines that share an outbox.
type peers struct{ sharer }

// sharer is one of them: a *mysql.Store or a *mysql.Member.
type sharer interface {
	Name() string
	Machines(ctx context.Context) ([]mysql.Machine, error)
	Ask(ctx context.Context, machine string, request []byte) ([]byte, error)
}

// Machines tells who there is.
func (p peers) Machines(ctx context.Context) (list []api.Machine, err error) {
	all, err := p.sharer.Machines(ctx)
	var now time.Time // by the clock that their times are of, as far as anybody has looked at it
	for _, m := range all {
		now = latest(now, m.Seen)
	}
	for _, m := range all {
		list = append(list, api.Machine{
			Name: m.Name, Here: m.Name == p.Name(), Holds: m.Holds, Reads: m.Reads, SameRules: m.SameRules, Endpoints: m.Endpoints, Seen: m.Seen, Silent: m.Until.Before(now),
		})
	}
	return list, err
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Endpoints asks one of them.
func (p peers) Endpoints(ctx context.Context, machine string) (deliver.Status, error) {
	return p.at(machine).Status(ctx)
}

// Holder asks the one that holds the outbox.
func (p peers) Holder(ctx context.Context) (api.Status, error) { return p.at("").Daemon(ctx) }

func (p peers) at(machine string) *control.Client {
	return control.NewRemote(func(ctx context.Context, request []byte) ([]byte, error) { return p.Ask(ctx, machine, request) })
}

// otherRules says which machines have other rules than the one that holds the outbox: once when it is seen, and each hour. The one that
// holds it says so of all, and each of itself.
type otherRules struct{ said map[string]time.Time }

func (o *otherRules) look(ctx context.Context, log *slog.Logger, s sharer, here string) {
	all, err := s.Machines(ctx)
	if err != nil {
		return // who is away says so itself
	}
	before := o.said
	o.said = make(map[string]time.Time)
	holder := slices.ContainsFunc(all, func(m mysql.Machine) bool { return m.Holds && m.Name == here })
	for _, m := range all {
		if m.SameRules || !holder && m.Name != here {
			continue
		}
		o.said[m.Name] = before[m.Name]
		if time.Since(before[m.Name]) < time.Hour {
			continue
		}
		o.said[m.Name] = time.Now()
		const fix = "make the rule files of all machines the same, and send SIGHUP to the one that was behind"
		if m.Name == here {
			log.Warn("the rules here are not those of the machine that holds the outbox: this one delivers nothing, and the others do it", slog.String("fix", fix))
		} else {
			log.Warn("a machine has other rules than the one that holds the outbox: it delivers nothing, and the others do it", slog.String("machine", m.Name), slog.String("fix", fix))
		}
	}
}

// watchMachines looks now and then which machines have other rules, while this one holds the outbox.
func (h *holder) watchMachines(ctx context.Context) {
	var other otherRules
	for shared := h.tenure.shared; shared != nil && retry.Pause(ctx, rulesEvery) == nil; {
		other.look(ctx, h.log, shared, shared.Name())
	}
}

// whoOf is what the others are told of this process.
func whoOf(c *config.Config, set *rules.Set) mysql.Who {
	return mysql.Who{Rules: set.Digest, Reads: !c.Deliver.Only}
}
