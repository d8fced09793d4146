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

// tellStatus shows the service manager how the sites stand, until ctx ends.
func (f *follower) tellStatus(ctx context.Context) {
	again := time.NewTicker(statusEvery)
	defer again.Stop()
	for {
		if sites, err := f.line.Sites(ctx); err == nil {
			f.manager.Status(statusOf(sites))
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
