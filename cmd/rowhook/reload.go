package main

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"rowhook/config"
	"rowhook/rules"
)

// reloadOnHangup reads the rules again on SIGHUP. Bad files leave the old rules running. Each hour it looks who may read the
// files.
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
		f.warnExposed()
	}
}

// hangup does what SIGHUP asks for; who follows the log is nil while nobody does.
func (h *holder) hangup(ctx context.Context, follows *follower) {
	if err := h.reload(ctx, follows); err != nil && ctx.Err() == nil {
		h.log.Error("the rules are not reloaded, the old ones stay", slog.Any("error", err), slog.String("fix", seeValidate))
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
		follows.warnOptional(ctx)
		follows.tellColumns(ctx)
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
	if keys := changedKeys(d.cfg, c); len(keys) > 0 {
		d.log.Warn("these keys of the configuration were changed, which takes a restart", slog.String("keys", strings.Join(keys, ", ")))
	}
	return nil
}

// changedKeys are the keys of the configuration that differ and are not taken over while the daemon runs.
func changedKeys(is, will *config.Config) (keys []string) {
	a, b := *is, *will
	a.Sites = slices.DeleteFunc(slices.Clone(a.Sites), func(s config.Site) bool { return s.Found() })
	a.Database, b.Database = a.Database.WithoutLogin(), b.Database.WithoutLogin()
	for field, value := range reflect.ValueOf(a).Fields() {
		if !reflect.DeepEqual(value.Interface(), reflect.ValueOf(b).FieldByIndex(field.Index).Interface()) {
			keys = append(keys, field.Tag.Get("yaml"))
		}
	}
	return keys
}
