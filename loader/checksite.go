package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

// Pack is the language pack that names of months and days in a site's payloads are from.
type Pack struct {
	Locale  string // it_IT
	File    string // empty where WordPress' folder is not known
	Content string // the folder of WordPress that has it
	Own     bool   // rowhook has names of its own for that language
}

// PackOf is the language pack of a site, nil where names are English.
func (l *Loader) PackOf(ctx context.Context, site *rules.Site) (*Pack, error) {
	snap, err := l.snapshotAt(ctx, site, Place{})
	if err != nil {
		return nil, fmt.Errorf("reading site %s: %w", site.Name, err)
	}
	defer snap.close(ctx)
	set, err := l.lookupSet(ctx, snap, site)
	if err != nil {
		return nil, fmt.Errorf("reading site %s: %w", site.Name, err)
	}
	if isEnglish(set.locale) {
		return nil, nil //nolint:nilnil // none is needed
	}
	language, _, _ := strings.Cut(set.locale, "_")
	p := &Pack{Locale: set.locale, Own: embedded[language] != ""}
	if site.Root != "" {
		p.File, p.Content = packFile(site.Root, set.locale), contentOf(site.Root)
	}
	return p, nil
}
