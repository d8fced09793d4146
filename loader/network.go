package loader

import (
	"context"
	"strings"
	"sync"

	"rowhook/cdc"
	"rowhook/rules"
)

// In a network of sites WordPress gives each site a prefix of its own, wp_2_, and keeps some tables once for all under
// the network's: users, usermeta, sitemeta. Nothing in a prefix tells whether its site is one of a network: wp_2_ may be
// that of a site alone, which has its own users. The tables that are there tell.

// sharedTables knows where sites have tables that a network shares.
type sharedTables struct {
	mu    sync.Mutex
	found map[cdc.TableName]cdc.TableName // by the name that the table has where the site is alone
	epoch int                             // changes when tables may be others
}

func (s *sharedTables) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.found)
	s.epoch++
}

func (s *sharedTables) known(own cdc.TableName) (name cdc.TableName, ok bool, epoch int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ok = s.found[own]
	return name, ok, s.epoch
}

func (s *sharedTables) learn(own, name cdc.TableName, epoch int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch != s.epoch {
		return
	}
	if s.found == nil {
		s.found = map[cdc.TableName]cdc.TableName{}
	}
	s.found[own] = name
}

// networkPrefix is the prefix of the network that a site with this prefix is of, if it is of one: wp_ for wp_2_.
func networkPrefix(prefix string) (string, bool) {
	rest, ok := strings.CutSuffix(prefix, "_")
	if !ok {
		return "", false
	}
	base := strings.TrimRight(rest, "0123456789")
	if base == rest || rest[len(base)] == '0' { // sites are counted from 1
		return "", false
	}
	return base, true
}

// sharedNames are the names under which a site may have a table that networks share, the likeliest first.
func sharedNames(site *rules.Site, table string) []cdc.TableName {
	names := []cdc.TableName{wordpressTable(site, table)}
	if base, ok := networkPrefix(site.Prefix); ok {
		names = append(names, cdc.TableName{Schema: site.Schema, Name: base + table})
	}
	return names
}

// shared reads from a table that a site may share with its network, and remembers where that is. Nothing, without an
// error, comes from a table that is nowhere. ask makes the query of a table's name.
func (s *snapshot) shared(ctx context.Context, known *sharedTables, site *rules.Site, table string, ask func(cdc.TableName) string) ([]record, error) {
	names := sharedNames(site, table)
	name, ok, epoch := known.known(names[0])
	if ok {
		names = []cdc.TableName{name}
	}
	var denied error
	for _, name := range names {
		rows, err := s.query(ctx, name, ask(name))
		switch {
		case err == nil:
			known.learn(sharedNames(site, table)[0], name, epoch)
			return rows, nil
		case isDenied(err) && denied == nil: // the server does not say whether there is such a table
			denied = err
		case !isNoTable(err) && !isDenied(err):
			return nil, err
		}
	}
	return nil, denied
}
