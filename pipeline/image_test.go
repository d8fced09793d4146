package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"rowhook/cdc"
	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/loader"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/rules"
	"rowhook/rules/events"
	"rowhook/scratch"
)

// TestRowImages writes the same to servers that log whole rows and to servers that log parts of them, and compares what
// would be posted: only an exact row before a change is lost.
func TestRowImages(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		for _, c := range []struct {
			name     string
			plugin   bool
			coalesce time.Duration
		}{
			{"documented", false, 0},
			{"plugin", true, 0},
			{"merged", false, 30 * time.Minute}, // by the log's clock, which the test sets
		} {
			if kind.MySQL() && c.coalesce > 0 { // whose commit times no session can set
				continue
			}
			t.Run(fmt.Sprintf("%s_%s", kind, c.name), func(t *testing.T) {
				t.Parallel()
				seed := dbtest.Seed(t)
				want := imageRun(t, kind, imageOptions{"FULL", seed, c.plugin, c.coalesce, 0, 0})
				if len(want) < 100 {
					t.Errorf("only %d deliveries", len(want))
				}
				for _, image := range []string{"MINIMAL", "NOBLOB"} {
					got := imageRun(t, kind, imageOptions{image, seed, c.plugin, c.coalesce, 0, 0})
					compareRuns(t, fmt.Sprintf("seed %d, %s", seed, image), got, want)
				}
			})
		}
	}
}

// compareRuns fails where two runs differ first.
func compareRuns(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("%s: delivery %d of %d, want %d:\n got %s\nwant %s", what, i, len(got), len(want),
				strings.Join(got[min(i, len(got)):min(i+2, len(got))], "\n     "), strings.Join(want[min(i, len(want)):min(i+2, len(want))], "\n     "))
		}
	}
}

// imageOptions are those of a run.
type imageOptions struct {
	image    string
	seed     uint64
	plugin   bool
	coalesce time.Duration
	most     int // max_payload; 0: the default
	large    int // how large some texts are; 0: none is
}

// imageRun lets a salon's work be logged with a row image, and returns the deliveries in their order.
func imageRun(t *testing.T, kind dbtest.Kind, o imageOptions) []string {
	t.Helper()
	server := dbtest.StartServer(t, kind)
	dbtest.Salon(t, server, "wordpress", "wp_")
	server.CreateUser(t, "rowhook", "secret", "REPLICATION SLAVE, REPLICATION CLIENT ON *.*", "SELECT ON wordpress.*")
	if kind.MySQL() && (o.plugin || o.large > 0) { // with parts of rows alone nobody can tell what was set to the value that it had
		server.Exec(t, "SET GLOBAL binlog_rows_query_log_events = ON")
	}
	db := server.DB(t, "wordpress")
	db.SetMaxOpenConns(1)
	w := &imageWorld{t: t, db: db, site: dbtest.NewSite(db, "wp_"), rng: rand.New(rand.NewPCG(o.seed, 1)), large: o.large}
	w.widen()
	w.exec("SET SESSION binlog_row_image = " + o.image)
	store := followServer(t, server, o)
	start := time.Now().Add(-240 * time.Hour).Truncate(time.Hour)
	var got []string
	after := int64(0)
	steps := 60
	if o.large > 0 && !o.plugin {
		steps = 25
	}
	for step := range steps {
		at := start.Add(time.Duration(step) * time.Hour).Unix()
		w.exec(fmt.Sprintf("SET timestamp = %d", at))
		if o.coalesce == 0 { // what is loaded must be what was committed
			w.step(1)
		} else {
			w.step(1 + w.rng.IntN(4))
		}
		w.exec(fmt.Sprintf("SET timestamp = %d", at+1))
		w.exec(fmt.Sprintf("INSERT INTO `wp_vikappointments_coupon` (`code`) VALUES ('%d')", step)) // closes last
		w.exec(fmt.Sprintf("SET timestamp = %d", at+1800+2))
		w.exec("INSERT INTO `wp_vikappointments_cities` (`id_state`, `city_name`, `city_2_code`) VALUES (7, 'x', 'x')") // whose time closes it
		after = deliveriesUntil(t, store, after, fmt.Sprintf(`"code":"%d"`, step), &got)
	}
	return got
}

// momentary is what depends on when a payload is made.
var momentary = regexp.MustCompile(`"(locked_until|createdon)":("[^"]*"|\d+)`)

// marker is the coupon that ends a step.
var marker = regexp.MustCompile(`"code":"\d`)

// deliveriesUntil appends deliveries up to the one whose body says something, which is left out.
func deliveriesUntil(t *testing.T, store outbox.Store, after int64, says string, got *[]string) int64 {
	t.Helper()
	ctx := patience(t)
	for {
		list, err := claim(ctx, store, after, 100)
		if err != nil {
			t.Fatalf("no delivery says %s, after %d of them: %v", says, len(*got), err)
		}
		for _, d := range list {
			after = d.Number
			body := d.Body
			if strings.Contains(string(body), says) {
				return after
			}
			if marker.Match(body) {
				continue // of the last step, in another form
			}
			if body = momentary.ReplaceAll(body, []byte(`"$1":0`)); len(body) > 100<<10 {
				body = fmt.Appendf(body[:2000], "... %d bytes, %x", len(body), sha256.Sum256(body))
			}
			if len(d.Omitted) > 0 {
				body = fmt.Appendf(body, " without %s", strings.Join(d.Omitted, " "))
			}
			*got = append(*got, fmt.Sprintf("%s %s %s", d.Rule, strings.Join(d.Keys, " "), body))
		}
	}
}

// followServer runs a pipeline from a real server into an outbox, until the test ends. The context ends with it.
func followServer(t *testing.T, server *dbtest.Server, o imageOptions) outbox.Store {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_"}
	at := connect.New(connect.Config{Address: server.Address(), User: "rowhook", Password: connect.Password("secret")})
	db := at.Pool()
	t.Cleanup(func() { db.Close() })
	source, err := cdc.Open(t.Context(), db, cdc.Config{
		Server: at, ServerID: rand.Uint32() | 1, Statements: true,
		Watch: cdc.Watch{Tables: site.Tables()}, Lookups: loader.Lookups([]*rules.Site{site}), Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	set := imageRules(t)
	routeAll(t, store, set.Rules)
	followed := begun{source, make(chan struct{})}
	p := New(Config{
		Source: followed, SourceID: "source", Outbox: store, Loader: loader.New(db, source, loader.Options{Plugin: o.plugin, MaxPayload: o.most}, log),
		Sites: []*rules.Site{site}, Rules: set, Log: log,
		Options: events.Options{
			Plugin: o.plugin, Coalesce: o.coalesce, CoalesceMax: o.coalesce, Precision: source.Precision(), Scratch: scratch.In(t.TempDir()), Log: log,
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		defer cancel()
		done <- p.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, source.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	<-followed.begun
	return store
}

// begun is a source that tells when it is followed.
type begun struct {
	*cdc.Source
	begun chan struct{}
}

func (b begun) Follow(ctx context.Context, p cdc.Position, schema []cdc.SchemaRecord, sink cdc.Sink) error {
	close(b.begun)
	return b.Source.Follow(ctx, p, schema, sink)
}

// imageRules want every action in every form, and some only with a status.
func imageRules(t *testing.T) *rules.Set {
	t.Helper()
	var text strings.Builder
	text.WriteString("rules:\n")
	for _, a := range rules.Actions() {
		loads := []string{""}
		if a.Kind != rules.Delete {
			loads = nil
			for _, l := range a.Entity.Loads {
				loads = append(loads, l.String())
			}
		}
		for _, l := range loads {
			fmt.Fprintf(&text, "  - {name: %s, action: %s, url: \"http://127.0.0.1/\"", strings.TrimRight(a.String()+"-"+l, "-"), a)
			if l != "" {
				fmt.Fprintf(&text, ", load: %s", l)
			}
			text.WriteString("}\n")
			if a.Entity.Name == "appointment" && a.Kind == rules.Save {
				fmt.Fprintf(&text, "  - {name: confirmed-%s, action: %s, url: \"http://127.0.0.1/\", load: %s, statuses: [C]}\n", l, a, l)
			}
		}
	}
	set, err := rules.Parse("rules.yaml", []byte(text.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &rules.Set{Rules: set}
}
