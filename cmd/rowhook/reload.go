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
	"rowhook/pipeline"
	"rowhook/rules"
)

// reloadOnHangup reads the rules again on SIGHUP. Bad files leave the old rules running. Each hour it looks who may read the
// files.
func (d *daemon) reloadOnHangup(ctx context.Context, line *pipeline.Pipeline) {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
		case <-d.hangups:
			d.hangup(ctx, line)
		}
		d.warnExposed(d.set)
	}
}

// hangup does what SIGHUP asks for.
func (d *daemon) hangup(ctx context.Context, line *pipeline.Pipeline) {
	if err := d.reload(ctx, line); err != nil && ctx.Err() == nil {
		d.log.Error("the rules are not reloaded, the old ones stay", slog.Any("error", err), slog.String("fix", seeValidate))
	}
}

// reload reads the rules again, for what delivers and for what follows the log; line is nil while it is not followed. The next
// pipeline takes the daemon's.
func (d *daemon) reload(ctx context.Context, line *pipeline.Pipeline) error {
	d.manager.Reloading()
	defer d.manager.Reloaded()
	set, err := d.readAgain()
	if err != nil {
		return err
	}
	d.set = set
	d.worker.SetEndpoints(endpointsOf(d.cfg, set)) // before the pipeline: no delivery may find its rule missing
	d.teller.SetRules(set)
	d.monitor.show(d.cfg, set)
	if err := errors.Join(d.tellRules(ctx, d.store, set), d.tellMachines(ctx, set)); err != nil { // they are taken over all the same
		d.log.Warn("what rules this machine has is not written down", slog.Any("error", err))
	}
	if line != nil {
		if err := line.SetRules(ctx, set); err != nil {
			return err
		}
		d.warnOptional(ctx, watchOf(d.cfg, set).Optional)
		d.tellKeys(ctx, d.source, set)
	}
	if d.finder != nil {
		d.finder.soon()
	}
	d.log.Info("the rules are reloaded", slog.Int("rules", len(set.Rules)))
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
	if d.server != nil { // a machine that only delivers has none
		d.server.SetLogin(c.Database.User, c.Database.ReadPassword)
	}
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
