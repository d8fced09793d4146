package loader

import (
	"context"
	"fmt"
	"slices"

	"rowhook/rules"
)

// CheckSite makes the queries of extended payloads once, for the newest order of each kind. Its error is what they would
// meet: TroubleOf and Fix tell more of it.
func (l *Loader) CheckSite(ctx context.Context, site *rules.Site) error {
	snap, err := l.snapshotAt(ctx, site, Place{})
	if err != nil {
		return fmt.Errorf("reading site %s: %w", site.Name, err)
	}
	defer snap.close(ctx)
	set, err := l.lookupSet(ctx, snap, site)
	if err != nil {
		return fmt.Errorf("reading site %s: %w", site.Name, err)
	}
	for _, action := range rules.Actions() {
		entity := action.Entity
		if action.Kind != rules.Save || !slices.Contains(entity.Loads, rules.Extended) {
			continue
		}
		newest, err := snap.all(ctx, entity.TableOf(site), "TRUE ORDER BY `id` DESC LIMIT 1")
		if isNoTable(err) {
			continue // of an older plugin, or the check of the tables tells
		}
		if err == nil {
			_, err = l.readOrders(ctx, snap, set, site, entity, newest)
		}
		if err != nil {
			return fmt.Errorf("reading %ss of site %s: %w", entity.Name, site.Name, err)
		}
	}
	return nil
}
