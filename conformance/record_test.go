package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// record is what was captured from the real plugin at one salon.
type record struct {
	name  string
	dir   string
	whole bool // all the cases, not the subset in testdata
	hooks map[int]hook
	cases []*testCase
	// byHand are cases of somebody with an SQL client, recorded between the others; the plugin has no part in them.
	byHand []*testCase
}

// testCase is one action of a user.
type testCase struct {
	Number   string      `json:"-"` // as FINDINGS calls it: "045"
	Name     string      `json:"name"`
	What     string      `json:"what"`
	Before   []string    `json:"before,omitempty"` // what others did since the case before; in the subset: what that did to the rows that matter
	SQL      []statement `json:"sql"`
	Again    bool        `json:"-"`        // made before: a statement may fail now, say of an id that is taken
	Requests []request   `json:"requests"` // what the plugin then sent; nil: it did, but that was not kept
}

// unrecorded are statements that cases made and that were not kept: 284 says that it chose the site's language, 288
// updates the row that this had made.
var unrecorded = map[string][]statement{
	"284": {{1, "INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('WPLANG', 'it_IT', 'yes')"}},
}

type statement struct {
	Conn int    `json:"conn"`
	SQL  string `json:"sql"`
}

// request is one webhook request of the plugin.
type request struct {
	Webhook    int             `json:"webhook"`
	Action     string          `json:"action"`
	Documented bool            `json:"documented"`
	Secure     string          `json:"secure"`
	Body       json.RawMessage `json:"body"`
}

// hook is what a webhook, or a rule, asks for.
type hook struct {
	Action   string // the plugin's name
	Type     string // insert, update, both
	Statuses []string
	Load     string // basic, full, extended; "" of a delete
}

const (
	savePrefix   = "onAfterSave"
	statusPrefix = "onStatusChange"
	deletePrefix = "onAfterDelete"
)

func (h hook) isStatus() bool { return strings.HasPrefix(h.Action, statusPrefix) }
func (h hook) isDelete() bool { return strings.HasPrefix(h.Action, deletePrefix) }

// documented says whether the action is one of those that the plugin documents; the others are custom hooks.
func (h hook) documented() bool {
	for _, e := range entities {
		if h.Action == e.save || h.Action == e.delete || h.Action == e.status && e.status != "" {
			return true
		}
	}
	return false
}

// entity names the actions of one of the plugin's tables.
type entity struct{ save, status, delete string }

var entities = map[string]entity{
	"reservation":   {"onAfterSaveReservation", "onStatusChangeReservation", "onAfterDeleteReservation"},
	"package_order": {"onAfterSavePackorder", "onStatusChangePackageorder", "onAfterDeletePackorder"},
	"users":         {"onAfterSaveCustomer", "", "onAfterDeleteCustomer"},
	"employee":      {"onAfterSaveEmployee", "", "onAfterDeleteEmployee"},
	"service":       {"onAfterSaveService", "", "onAfterDeleteService"},
	"coupon":        {"onAfterSaveCoupon", "", "onAfterDeleteCoupon"},
}

// forEachRecord runs a test on every record there is.
func forEachRecord(t *testing.T, test func(t *testing.T, r *record)) {
	t.Helper()
	for _, r := range readRecords(t) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			test(t, r)
		})
	}
}

// readRecords reads the records that ROWHOOK_PLUGIN_DIR names, else the subsets in testdata.
func readRecords(t *testing.T) []*record {
	t.Helper()
	given := os.Getenv("ROWHOOK_PLUGIN_DIR")
	dirs, whole := filepath.SplitList(given), given != ""
	if !whole {
		dirs = []string{"testdata"}
	}
	var records []*record
	for _, dir := range dirs {
		folders := recordFolders(dir)
		if len(folders) == 0 {
			t.Fatalf("no record in %s: it has no file cases/*.json, and no folder in it has one", dir)
		}
		for _, folder := range folders {
			r := readRecord(t, folder)
			r.whole = whole
			records = append(records, r)
		}
	}
	return records
}

// recordFolders are the records of a folder: itself, or those of its folders that hold one.
func recordFolders(dir string) []string {
	for _, pattern := range []string{"cases", "*/cases"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern, "*.json")) // no error: the pattern is right
		var folders []string
		for _, file := range files {
			folders = append(folders, filepath.Dir(filepath.Dir(file)))
		}
		if folders = slices.Compact(folders); len(folders) > 0 {
			return folders
		}
	}
	return nil
}

func readRecord(t *testing.T, dir string) *record {
	t.Helper()
	r := &record{name: filepath.Base(dir), dir: dir}
	r.hooks = readHooks(t, filepath.Join(dir, "webhooks.json"))
	r.cases = readCases(t, filepath.Join(dir, "cases"))
	r.byHand = readCases(t, filepath.Join(dir, "by-hand"))
	return r
}

// readCases reads a folder of cases, in the order in which they were recorded: that of their names.
func readCases(t *testing.T, dir string) []*testCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var cases []*testCase
	for _, file := range files {
		c := &testCase{}
		if err := json.Unmarshal(readFile(t, file), c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c.Number, _, _ = strings.Cut(filepath.Base(file), "-")
		c.SQL = append(c.SQL, unrecorded[c.Number]...)
		cases = append(cases, c)
	}
	return cases
}

// withByHand are the record's cases with those by hand where they were made: before the case whose Before repeats them.
// Then those by hand once more, each client's statements as a case of its own, for clients came within a moment or later.
// Only then come those that no Before repeats, for the cases were recorded without them.
func (r *record) withByHand() []*testCase {
	var all []*testCase
	for _, c := range r.cases {
		short := *c
		for _, hand := range r.byHand {
			if strings.Compare(hand.Number, c.Number) < 0 && len(short.Before) > 0 && hand.isPartOf(short.Before) {
				all = append(all, hand)
				short.Before = slices.DeleteFunc(slices.Clone(short.Before), hand.has)
			}
		}
		all = append(all, &short)
	}
	for _, c := range r.byHand {
		for i, s := range c.SQL {
			if i == 0 || s.Conn != c.SQL[i-1].Conn {
				all = append(all, &testCase{Number: fmt.Sprintf("%s, client %d", c.Number, s.Conn), Again: true})
			}
			last := all[len(all)-1]
			last.SQL = append(last.SQL, s)
		}
	}
	return all
}

func (c *testCase) isPartOf(statements []string) bool {
	return !slices.ContainsFunc(c.SQL, func(s statement) bool { return !slices.Contains(statements, s.SQL) })
}

func (c *testCase) has(sql string) bool {
	return slices.ContainsFunc(c.SQL, func(s statement) bool { return s.SQL == sql })
}

func readHooks(t *testing.T, file string) map[int]hook {
	t.Helper()
	var listed map[int]struct {
		Action string          `json:"action"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(readFile(t, file), &listed); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	hooks := map[int]hook{}
	for id, l := range listed {
		h := hook{Action: l.Action, Type: "both", Load: "basic"} // what no params mean
		if strings.HasPrefix(string(l.Params), "{") {
			var p struct {
				Type, Load string
				Statuses   json.RawMessage // "" when none are selected
			}
			if err := json.Unmarshal(l.Params, &p); err != nil {
				t.Fatalf("%s: webhook %d: %v", file, id, err)
			}
			h.Type, h.Load = p.Type, p.Load
			if strings.HasPrefix(string(p.Statuses), "[") {
				if err := json.Unmarshal(p.Statuses, &h.Statuses); err != nil {
					t.Fatalf("%s: webhook %d: %v", file, id, err)
				}
			}
		}
		if h.isDelete() {
			h.Load = ""
		}
		hooks[id] = h
	}
	return hooks
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// parse reads JSON with its numbers as they are written.
func parse(body []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("body %.200q: %w", body, err)
	}
	return v, nil
}

// subject is the object that a payload is about, as a list of ids in ascending order: "12", "12,13". A status change
// is about its order.
func (h hook) subject(body any) string {
	object, ok := body.(map[string]any)
	if !ok {
		return ""
	}
	key := "id"
	if _, ok := object["id_order"]; ok && h.isStatus() { // basic, or of an order that is gone
		key = "id_order"
	}
	list, ok := object[key].([]any)
	if !ok {
		list = []any{object[key]}
	}
	ids := make([]string, len(list))
	for i, v := range list {
		ids[i] = fmt.Sprint(v)
	}
	return joinIDs(ids)
}

func joinIDs(ids []string) string {
	slices.SortFunc(ids, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return strings.Join(ids, ",")
}
