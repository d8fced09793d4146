package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/connect"
	"rowhook/deliver"
	"rowhook/deliver/post"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/printable"
	"rowhook/rules"
	"rowhook/weburl"
)

// stamped is the version of a package, which the linker puts here (tools/package.sh).
var stamped string

// version is what the build stamped into the binary.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}

// newLogger makes the daemon's logger; the configuration has checked its values.
func newLogger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // checked by config; unknown is info
	o := &slog.HandlerOptions{Level: level}
	w = printable.NewWriter(w) // slog itself lets some control characters pass
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// sitesOf are the sites as rules knows them.
func sitesOf(c *config.Config) []*rules.Site {
	sites := make([]*rules.Site, len(c.Sites))
	for i, s := range c.Sites {
		sites[i] = &rules.Site{Name: s.Name, Schema: s.Schema, Prefix: s.Prefix, Root: s.Root, Client: clientOf(s)}
	}
	return sites
}

// clientOf is what a site's programs see texts through.
func clientOf(s config.Site) *cdc.Client {
	client, err := cdc.NewClient(s.DBCharset)
	if err != nil { // the configuration has only charsets for which there is one
		return nil
	}
	return client
}

// plugin is the fidelity under which only what the plugin itself would have posted is delivered.
const plugin = "plugin"

// reportAll is what `restore` says when rows of a restore are events too.
const reportAll = "report"

// sourceConfig is how to reach the server, and what to watch on it.
func sourceConfig(c *config.Config, set *rules.Set, server *connect.Server, serverID uint32, log *slog.Logger) cdc.Config {
	var own string
	if c.Outbox.MySQL.Used() {
		own = c.Outbox.MySQL.Schema
	}
	return cdc.Config{
		Own: own, Alone: own != "", Server: server, ServerID: serverID, Log: log, Watch: watchOf(c, set), Lookups: loader.Lookups(sitesOf(c)),
		Statements: true, NeedStatements: c.Fidelity == plugin,
	}
}

// watchOf is the tables that make events. Those that only rules name need not be there.
func watchOf(c *config.Config, set *rules.Set) cdc.Watch {
	w := cdc.Watch{Clients: map[cdc.TableName]*cdc.Client{}, Prefixes: map[cdc.TableName]string{}}
	for _, s := range sitesOf(c) {
		own := s.Tables()
		for _, t := range set.Tables(s) {
			w.Clients[t], w.Prefixes[t] = s.Client, s.Prefix
			if w.Tables = append(w.Tables, t); !slices.Contains(own, t) {
				w.Optional = append(w.Optional, t)
			}
		}
	}
	return w
}

// endpointsOf tells deliver where each rule's deliveries go.
func endpointsOf(c *config.Config, set *rules.Set) map[string]deliver.Endpoint {
	endpoints := make(map[string]deliver.Endpoint, len(set.Rules))
	for r := range set.Enabled() {
		headers := make([]post.Header, len(r.Endpoint.Headers))
		for i, h := range r.Endpoint.Headers {
			headers[i] = post.Header(h)
		}
		endpoints[r.Name] = deliver.Endpoint{
			Headers: headers, CloudEvents: r.Endpoint.CloudEvents, ContentType: r.Endpoint.ContentType, Posted: r.Shape.Secrets(),
			URL: r.Endpoint.URL, WebhookID: r.Endpoint.WebhookID, Secret: r.Endpoint.Secret, AlwaysSecure: c.Fidelity == plugin,
			SigningSecrets: r.Endpoint.SigningSecret, OrderGroup: r.Endpoint.OrderGroup,
		}
	}
	return endpoints
}

// limitsOf tells deliver what single endpoints need otherwise.
func limitsOf(endpoints []config.Endpoint) map[string]deliver.Limit {
	limits := make(map[string]deliver.Limit, len(endpoints))
	for _, e := range endpoints {
		limits[deliver.EndpointName(e.Endpoint)] = deliver.Limit{Concurrency: e.Concurrency, Every: time.Duration(e.Rate)}
	}
	return limits
}

// endpointName is what the endpoint of a rule is called.
func endpointName(r *rules.Rule) string {
	return cmp.Or(r.Endpoint.OrderGroup, deliver.EndpointName(r.Endpoint.URL))
}

// unused are the endpoints of the configuration that no rule posts to: they are misspelt, most likely.
func unused(endpoints []config.Endpoint, set *rules.Set) (names []string) {
	for _, e := range endpoints {
		name := deliver.EndpointName(e.Endpoint)
		if !slices.ContainsFunc(set.Rules, func(r *rules.Rule) bool { return endpointName(r) == name }) {
			names = append(names, weburl.Short(e.Endpoint))
		}
	}
	return names
}

// identity is what a state directory calls itself for ever: the source id that delivery ids are derived from, and our
// server id among the database's replicas.
type identity struct {
	source   string
	serverID uint32
}

// identify reads the identity, or makes one at the first start.
func identify(ctx context.Context, store outbox.Settings) (identity, error) {
	source, err := remember(ctx, store, sourceIDKey, newSourceID)
	if err != nil {
		return identity{}, err
	}
	text, err := remember(ctx, store, "server_id", func() string {
		n, _ := rand.Int(rand.Reader, big.NewInt(1<<32-1<<16)) // never fails
		return strconv.FormatInt(n.Int64()+1<<16, 10)          // small ids are those that people give
	})
	if err != nil {
		return identity{}, err
	}
	serverID, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return identity{}, fmt.Errorf("reading the server id of the outbox: %w", err)
	}
	return identity{source, uint32(serverID)}, nil
}

// sourceIDKey is the setting of the outbox that holds the source id.
const sourceIDKey = "source_id"

// newSourceID makes up a source id.
func newSourceID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// remember reads a setting of the outbox, or makes one up.
func remember(ctx context.Context, store outbox.Settings, key string, invent func() string) (string, error) {
	value, err := store.Get(ctx, key)
	if err != nil || value != "" {
		return value, err
	}
	value = invent()
	return value, store.CompareAndSet(ctx, key, "", value)
}
