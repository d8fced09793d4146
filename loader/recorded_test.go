package loader

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

// The recordings are of the real plugin: user actions, the statements each of them ran, and the requests that followed.
// testdata/recorded holds some of them, each group with the tables it needs.

type recording struct {
	Name string
	SQL  []struct{ SQL string }

	Requests []recordedRequest
}

type recordedRequest struct {
	Webhook    int
	Action     string
	Params     json.RawMessage
	Documented bool
	Body       map[string]any
}

func (r *recordedRequest) load() rules.Load {
	var p struct{ Load string }
	if json.Unmarshal(r.Params, &p) != nil {
		return 0
	}
	return map[string]rules.Load{"basic": rules.Basic, "full": rules.Full, "extended": rules.Extended}[p.Load]
}

// TestRecorded replays each group of testdata/recorded: a fixture of the tables as they stood before, and the actions.
func TestRecorded(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	groups, err := filepath.Glob(filepath.Join("testdata", "recorded", "*", "fixture.sql"))
	if err != nil || len(groups) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for i, fixture := range groups {
		schema := fmt.Sprintf("salon%d", i)
		dbtest.Salon(t, server, schema, "wp_")
		newReplay(t, server, schema, fixture).run(filepath.Dir(fixture))
	}
}

// replay brings a site to where recordings begin, and runs them.
type replay struct {
	*testing.T
	server     *dbtest.Server
	db         *sql.DB
	site       *rules.Site
	loader     *Loader
	equal, all map[string]int
}

func newReplay(t *testing.T, server *dbtest.Server, schema, script string) *replay {
	t.Helper()
	data, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	db := server.DB(t, schema)
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), string(data)+"\nSET sql_mode = ''"); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return &replay{
		T: t, server: server, db: db, site: &rules.Site{Name: "salon", Schema: schema, Prefix: "wp_", Root: "/srv/www/salon"},
		loader: New(server.DB(t, ""), mariaDB{}, Options{Plugin: true}, slog.New(slog.DiscardHandler)),
		equal:  map[string]int{}, all: map[string]int{},
	}
}

// run replays the recordings of a folder in order and compares what the plugin posted with what the loader makes.
func (r *replay) run(dir string) {
	r.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		r.Fatalf("no recordings in %s: %v", dir, err)
	}
	for _, file := range files {
		var c recording
		data, err := os.ReadFile(file)
		if err != nil {
			r.Fatal(err)
		}
		if err := json.Unmarshal(data, &c); err != nil {
			r.Fatalf("%s: %v", file, err)
		}
		for _, s := range c.SQL {
			if _, err := r.db.ExecContext(r.Context(), s.SQL); err != nil {
				r.Fatalf("%s: %.200s: %v", file, s.SQL, err)
			}
		}
		if c.Name == "opts-it-real" { // the recording lacks what this action wrote
			if _, err := r.db.ExecContext(r.Context(), "INSERT INTO wp_options (option_name, option_value) VALUES ('WPLANG', 'it_IT')"); err != nil {
				r.Fatal(err)
			}
		}
		last := end(r.T, r.server)
		for _, table := range LookupTables(r.site) {
			r.loader.invalidate(table, "", last)
		}
		for _, q := range c.Requests {
			if load := q.load(); q.Documented && load >= rules.Full && q.Body != nil && q.Body["trace"] == nil {
				r.compare(filepath.Base(file), &q, load, last)
			}
		}
	}
	for kind, n := range r.all {
		r.Logf("%s %s: %d of %d equal", filepath.Base(dir), kind, r.equal[kind], n)
	}
}

func (r *replay) compare(file string, q *recordedRequest, load rules.Load, last cdc.Coord) {
	r.Helper()
	kind := fmt.Sprintf("%s %s", q.Action, load)
	r.all[kind]++
	got := loadRecorded(r.T, r.loader, r.site, q, load, last)
	if diffs := differences("", q.Body, got, nil); len(diffs) > 0 {
		r.Errorf("%s: webhook %d, %s %v:\n\t%s", file, q.Webhook, kind, q.Body["id"], strings.Join(diffs, "\n\t"))
		return
	}
	r.equal[kind]++
}

// loadRecorded makes the payload for a recorded request.
func loadRecorded(t *testing.T, l *Loader, site *rules.Site, r *recordedRequest, load rules.Load, last cdc.Coord) any {
	t.Helper()
	action, err := rules.ParseAction(r.Action)
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	if _, err := fmt.Sscan(fmt.Sprint(r.Body["id"]), &id); err != nil {
		return nil
	}
	ev := &rules.Event{
		Site: site, Action: action, IDs: []rules.Key{rules.NumberKey(id)}, Last: last, Rules: []*rules.Rule{{Name: "r", Load: load}},
		Table: orderTable, Row: orderRow(),
	}
	payloads, err := l.Load(t.Context(), []*rules.Event{ev})
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(payloads[0][0].Body, &got); err != nil {
		t.Fatalf("%v: %s", err, payloads[0][0].Body)
	}
	return got
}

// differences lists where two JSON values differ, but for what no reader of the database can know: when the plugin's
// request was made, and which translations it had loaded.
func differences(at string, want, got any, diffs []string) []string {
	if at == ".locked_until" && reflect.TypeOf(want) == reflect.TypeFor[float64]() || strings.HasPrefix(at, ".history[") && strings.HasSuffix(at, "].comment") {
		return diffs
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for key := range w {
			if _, ok := g[key]; !ok {
				diffs = append(diffs, at+"."+key+" is missing")
			} else {
				diffs = differences(at+"."+key, w[key], g[key], diffs)
			}
		}
		for key := range g {
			if _, ok := w[key]; !ok {
				diffs = append(diffs, fmt.Sprintf("%s.%s is not wanted: %v", at, key, g[key]))
			}
		}
		slices.Sort(diffs)
		return diffs
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			diffs = differences(fmt.Sprintf("%s[%d]", at, i), w[i], g[i], diffs)
		}
		return diffs
	}
	if !reflect.DeepEqual(want, got) {
		diffs = append(diffs, fmt.Sprintf("%s is %v, want %v", at, got, want))
	}
	return diffs
}
