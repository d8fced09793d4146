package main

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"rowhook/config"
	"rowhook/rules"
)

// reloadOnHangup reads the rules again on SIGHUP. Bad files leave the old rules running. Then, and each hour, it looks whether what
// was wrong still is.
func (f *follower) reloadOnHangup(ctx context.Context) {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
		case <-f.hangups:
			f.hangup(ctx, f)
		}
		f.lookAgain(ctx)
	}
}

// hangup does what SIGHUP asks for; who follows the log is nil while nobody does.
func (h *holder) hangup(ctx context.Context, follows *follower) {
	h.wrong.Asked()
	if err := h.reload(ctx, follows); ctx.Err() == nil {
		h.notReloaded(err)
	}
}

// reload reads the rules again, for what delivers and for who follows the log. The next one who does takes the daemon's.
func (h *holder) reload(ctx context.Context, follows *follower) error {
	h.manager.Reloading()
	defer h.manager.Reloaded()
	set, err := h.readAgain()
	if err != nil {
		return err
	}
	h.set = set
	h.worker.SetEndpoints(endpointsOf(h.cfg, set)) // before the pipeline: no delivery may find its rule missing
	h.teller.SetRules(set)
	h.monitor.show(h.cfg, set)
	if err := errors.Join(h.tellRules(ctx, h.store), h.tellMachines(ctx)); err != nil { // they are taken over all the same
		h.log.Warn("what rules this machine has is not written down", slog.Any("error", err))
	}
	if follows != nil {
		if err := follows.line.SetRules(ctx, set); err != nil {
			return err
		}
	}
	if h.finder != nil {
		h.finder.soon()
	}
	h.log.Info("the rules are reloaded", slog.Int("rules", len(set.Rules)))
	return nil
}

// readAgain reads the configuration and the rules again.
func (d *daemon) readAgain() (*rules.Set, error) {
	if err := d.relogin(); err != nil {
		return nil, err
	}
	return readRules(d.cfg, d.file)
}

// seeValidate is what to type when files are not taken over.
const seeValidate = "rowhook rules validate   names each fault; then send SIGHUP again"

// relogin reads the configuration again and takes over how to log in to the database.
func (d *daemon) relogin() error {
	c, err := config.Load(d.file)
	if err != nil {
		return err
	}
	d.server.SetLogin(c.Database.User, c.Database.ReadPassword)
	d.tellRestart(changedKeys(d.cfg, c))
	return nil
}

// changedKeys are the keys of the configuration that differ and are not taken over while the daemon runs.
func changedKeys(is, will *config.Config) (keys []string) {
	a, b := *is, *will
	a.Sites = slices.DeleteFunc(slices.Clone(a.Sites), func(s config.Site) bool { return s.Found() })
	a.Database, b.Database = a.Database.WithoutLogin(), b.Database.WithoutLogin()
	if now, err := a.Outbox.MySQL.ReadPassword(); err == nil { // each connection reads it
		a.Outbox.MySQL.Password = now
	}
	for field, value := range reflect.ValueOf(a).Fields() {
		if !same(value, reflect.ValueOf(b).FieldByIndex(field.Index)) {
			keys = append(keys, field.Tag.Get("yaml"))
		}
	}
	return keys
}

// same compares what the file says in values of a configuration. An empty list is as good as none: it may say either.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type().Field(i).IsExported() && !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}
