package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rowhook/pipeline"
	"rowhook/rules"
)

// statusEvery is how often the service manager is told what the daemon does.
const statusEvery = 30 * time.Second

// alive says whether the store on the daemon's own disk answers. What databases and receivers do is no matter: they come back,
// and a restart helps none of them.
func (d *daemon) alive(ctx context.Context) error {
	if _, err := d.store.Get(ctx, sourceIDKey); err != nil {
		return fmt.Errorf("reading the outbox in %s: %w", d.cfg.StateDir, err)
	}
	return nil
}

// tellStatus shows the service manager how the sites stand, until ctx ends.
func (d *daemon) tellStatus(ctx context.Context, line *pipeline.Pipeline) {
	again := time.NewTicker(statusEvery)
	defer again.Stop()
	for {
		if sites, err := line.Sites(ctx); err == nil {
			d.manager.Status(statusOf(sites))
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// statusOf is how the sites stand, on one line.
func statusOf(sites []pipeline.SiteStatus) string {
	var troubled []string
	followed, waiting := 0, 0
	for _, s := range sites {
		if s.Name == rules.SiteOf(s.Name) {
			followed++
		}
		waiting += s.Events
		if s.State != pipeline.SiteReading {
			troubled = append(troubled, fmt.Sprintf("%s is %s", s.Name, s.State))
		}
	}
	text := fmt.Sprintf("following the binlog for %s; events on their way: %d", count(followed, "site"), waiting)
	if len(troubled) > 0 {
		text += "; see rowhook sites list: " + strings.Join(troubled, ", ")
	}
	return text
}
