package loader

import (
	"cmp"
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
// testdata/plugin holds some of them with the tables they need; ROWHOOK_PLUGIN_DIR names a folder with more.

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

func TestRecorded(t *testing.T) {
	t.Parallel()
	dir := cmp.Or(os.Getenv("ROWHOOK_PLUGIN_DIR"), filepath.Join("testdata", "plugin"))
	server := dbtest.Start(t)
	server.Exec(t, "CREATE DATABASE wordpress CHARACTER SET utf8mb4")
	db := server.DB(t, "wordpress")
	db.SetMaxOpenConns(1)
	initial, err := os.ReadFile(filepath.Join(dir, "initial.sql"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), string(initial)+"\nSET sql_mode = ''"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "cases", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s: %v", dir, err)
	}
	site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_", Root: "/srv/www/salon"}
	l := New(server.DB(t, ""), mariaDB{}, Options{Plugin: true}, slog.New(slog.DiscardHandler))
	equal, all := map[string]int{}, map[string]int{}
	for _, file := range files {
		var c recording
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, s := range c.SQL {
			if _, err := db.ExecContext(t.Context(), s.SQL); err != nil {
				t.Fatalf("%s: %.200s: %v", file, s.SQL, err)
			}
		}
		if c.Name == "opts-it-real" { // the recording lacks what this action wrote
			server.Exec(t, "INSERT INTO wordpress.wp_options (option_name, option_value) VALUES ('WPLANG', 'it_IT')")
		}
		last := end(t, server)
		for _, table := range LookupTables(site) {
			l.Invalidate(table, "", last)
		}
		for _, r := range c.Requests {
			load := r.load()
			if !r.Documented || load < rules.Full || r.Body["trace"] != nil || r.Body == nil {
				continue
			}
			kind := fmt.Sprintf("%s %s", r.Action, load)
			all[kind]++
			got := loadRecorded(t, l, site, &r, load, last)
			if diffs := differences("", r.Body, got, nil); len(diffs) > 0 {
				t.Errorf("%s: webhook %d, %s %v:\n\t%s", filepath.Base(file), r.Webhook, kind, r.Body["id"], strings.Join(diffs, "\n\t"))
			} else {
				equal[kind]++
			}
		}
	}
	for kind, n := range all {
		t.Logf("%s: %d of %d equal", kind, equal[kind], n)
	}
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
		Site: site, Action: action, IDs: []int64{id}, Last: last, Rules: []*rules.Rule{{Name: "r", Load: load}},
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
