package loader

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

// TestVariedSalon renders everything of salons whose settings and objects vary, and holds each value against the kinds
// that the plugin's payloads have at its place. ROWHOOK_SEED makes other salons, ROWHOOK_SALONS more of them.
func TestVariedSalon(t *testing.T) {
	t.Parallel()
	kinds := readKinds(t)
	seed, salons := dbtest.Seed(t), uint64(1)
	if text := os.Getenv("ROWHOOK_SALONS"); text != "" {
		var err error
		if salons, err = strconv.ParseUint(text, 10, 16); err != nil {
			t.Fatalf("ROWHOOK_SALONS: %v", err)
		}
	}
	server := dbtest.Start(t)
	for ; salons > 0 && !t.Failed(); salons, seed = salons-1, seed+1 {
		schema := "salon" + strconv.FormatUint(seed, 10)
		salon, err := dbtest.Salon(t, server, schema, "wp_").Varied(t.Context(), seed)
		if err != nil {
			t.Fatal(err)
		}
		if err := salon.Orders(t.Context(), 500); err != nil {
			t.Fatal(err)
		}
		rendered := renderSalon(t, server, salon, schema, kinds)
		t.Logf("seed %d: %d payloads", seed, rendered)
	}
	for _, place := range kinds.unseen() {
		t.Errorf("the plugin's payloads have %s, and none of these: the salons vary too little", place)
	}
}

// renderSalon makes the payloads of everything in a salon, a part of it under each of several settings.
func renderSalon(t *testing.T, server *dbtest.Server, salon *dbtest.Varied, schema string, kinds *kindsAt) (rendered int) {
	t.Helper()
	site := &rules.Site{Name: schema, Schema: schema, Prefix: "wp_", Root: "/srv/www/salon"}
	const settings = 8
	for n := range settings {
		if err := salon.Settings(t.Context()); err != nil {
			t.Fatal(err)
		}
		db := server.DB(t, "")
		l := New(db, mariaDB{}, Options{Plugin: n%2 == 1}, slog.New(slog.DiscardHandler))
		kinds.readColumns(t, db, schema)
		all := everyEvent(t, l, site, end(t, server))
		var part []*rules.Event
		for i := n; i < len(all); i += settings {
			part = append(part, all[i])
		}
		for batch := range slices.Chunk(part, 64) {
			payloads, err := l.Load(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			for i, ev := range batch {
				rendered += kinds.check(t, ev, payloads[i])
			}
		}
		if t.Failed() {
			t.Fatalf("%s, setting %d", schema, n)
		}
	}
	return rendered
}

// everyEvent makes a save of every object, and a status change of every row of history.
func everyEvent(t *testing.T, l *Loader, site *rules.Site, last cdc.Coord) []*rules.Event {
	t.Helper()
	snap, err := l.snapshotAt(t.Context(), site, Place{End: last})
	if err != nil {
		t.Fatal(err)
	}
	defer snap.close(t.Context())
	var events []*rules.Event
	for _, from := range []struct{ table, action string }{
		{"reservation", "appointment.save"}, {"package_order", "package_order.save"}, {"users", "customer.save"}, {"employee", "employee.save"},
		{"service", "service.save"}, {"coupon", "coupon.save"}, {"order_status", ""},
	} {
		rows, err := snap.all(t.Context(), site.Table(from.table), "1")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			name, id := from.action, r.id("id")
			if name == "" {
				name, id = map[string]string{"reservation": "appointment", "package_order": "package_order"}[r.text("type")]+".status_change", r.id("id_order")
			}
			action, err := rules.ParseAction(name)
			if err != nil {
				t.Fatal(err)
			}
			ev := &rules.Event{
				Site: site, Action: action, IDs: []rules.Key{rules.NumberKey(id)}, Insert: true, Table: r.table, Row: r.row, Last: last, Status: r.text("status"),
				Rules: []*rules.Rule{{Name: "basic", Load: rules.Basic}, {Name: "full", Load: rules.Full}},
			}
			if entity := action.Entity.Name; entity == "appointment" || entity == "package_order" {
				ev.Rules = append(ev.Rules, &rules.Rule{Name: "extended", Load: rules.Extended})
			}
			events = append(events, ev)
		}
	}
	return events
}

// kindsAt are the kinds of values that the plugin's payloads have at each place, by entity and load mode.
type kindsAt struct {
	wanted  map[string]map[string][]string
	seen    map[string]map[string]bool
	columns map[string]bool // table.column: whether it may be NULL
}

func readKinds(t *testing.T) *kindsAt {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "kinds.txt"))
	if err != nil {
		t.Fatal(err)
	}
	k, group := &kindsAt{wanted: map[string]map[string][]string{}, seen: map[string]map[string]bool{}}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		place, kinds, ok := strings.Cut(line, ": ")
		switch {
		case line == "" || line[0] == '#':
		case ok:
			k.wanted[group][place] = append(k.wanted[group][place], strings.Fields(kinds)...)
		default:
			group = line
			if k.wanted[group] == nil {
				k.wanted[group], k.seen[group] = map[string][]string{}, map[string]bool{}
			}
		}
	}
	return k
}

// check looks at the payloads of an event and gives how many they are.
func (k *kindsAt) check(t *testing.T, ev *rules.Event, payloads []Payload) int {
	t.Helper()
	for _, p := range payloads {
		d := json.NewDecoder(bytes.NewReader(p.Body))
		d.UseNumber()
		var body any
		if err := d.Decode(&body); err != nil {
			t.Errorf("%s %s: %v in %s", ev, p.Rule.Name, err, p.Body)
			continue
		}
		group := ev.Action.Entity.Name + " " + p.Rule.Name
		if row, ok := body.(map[string]any); ok && row["closure"] == "1" && row["appointments"] == nil {
			group = "appointment full" // a closure is no order: extended has its row
		}
		if p.Rule.Load == rules.Basic {
			if ev.Action.Kind != rules.StatusChange {
				continue // PHP's kinds there are of no rule
			}
			group = "status basic"
		}
		k.look(t, group, "$", body, ev)
	}
	return len(payloads)
}

// named are the places whose keys are names that the site gives.
var named = regexp.MustCompile(`(^\$\.(fields|displayFields)|\.display)$`)

// owned are places of which the site's own JSON lies below.
var owned = regexp.MustCompile(`^\$\.(custom_f|uploads)$|breakdown$|notes\[\]\.(attachments|tags)$|service\.attachments$`)

var indexed = regexp.MustCompile(`^\d+$`)

func (k *kindsAt) look(t *testing.T, group, place string, v any, ev *rules.Event) {
	t.Helper()
	kind := kindAt(v)
	wanted, known := k.wanted[group][place]
	k.seen[group][place] = true
	if !slices.Contains(wanted, kind) && !k.isColumn(group, place, kind) {
		t.Errorf("%s: %s of %s is %s (%v), the plugin's are %v (known: %v)", ev, place, group, kind, v, wanted, known)
	}
	if kind != "list" && kind != "object" || owned.MatchString(place) {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		ofSite := named.MatchString(place)
		for name, below := range v {
			switch {
			case ofSite:
				name = ".*"
			case place == "$.attendees[]" && name != "display":
				continue // what the form asked for
			case place == "$.attendees" && indexed.MatchString(name):
				name = "[]"
			default:
				name = "." + name
			}
			k.look(t, group, place+name, below, ev)
		}
	case []any:
		for _, below := range v {
			k.look(t, group, place+"[]", below, ev)
		}
	}
}

// sources are the tables whose columns are shown as they are.
var sources = []struct{ group, place, table string }{
	{"appointment", "$.", "reservation"}, {"package_order", "$.", "package_order"}, {"customer", "$.", "users"}, {"employee", "$.", "employee"},
	{"service", "$.", "service"}, {"coupon", "$.", "coupon"}, {"status", "$.", "order_status"}, {"", "$.billing.", "users"},
	{"", "$.history[].", "order_status"}, {"", "$.notes[].", "user_notes"}, {"", "$.appointments[].location.", "employee_location"},
}

// isColumn says whether a place shows a column that can hold a value of the kind: a text, or NULL where it may.
func (k *kindsAt) isColumn(group, place, kind string) bool {
	for _, source := range sources {
		column, ok := strings.CutPrefix(place, source.place)
		if !ok || !strings.HasPrefix(group, source.group) {
			continue
		}
		if nullable, ok := k.columns[source.table+"."+column]; ok && len(k.wanted[group][place]) > 0 {
			return kind == "text" || kind == "null" && nullable
		}
	}
	return false
}

// readColumns asks which columns may be NULL.
func (k *kindsAt) readColumns(t *testing.T, db *sql.DB, schema string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT REPLACE(TABLE_NAME, 'wp_vikappointments_', ''), COLUMN_NAME, IS_NULLABLE = 'YES'"+
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ?", schema)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	k.columns = map[string]bool{}
	for rows.Next() {
		var table, column string
		var nullable bool
		if err := rows.Scan(&table, &column, &nullable); err != nil {
			t.Fatal(err)
		}
		k.columns[table+"."+column] = nullable
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func kindAt(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case json.Number:
		return "number"
	case string:
		return "text"
	case []any:
		if len(v) == 0 {
			return "empty"
		}
		return "list"
	}
	return "object"
}

// unseen are the places that nothing was rendered at.
func (k *kindsAt) unseen() []string {
	var all []string
	for group, places := range k.wanted {
		for place := range places {
			if !k.seen[group][place] {
				all = append(all, group+" "+place)
			}
		}
	}
	slices.Sort(all)
	return all
}
