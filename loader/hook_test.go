package loader

import (
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// TestHookBody: the arguments of hooks, counted as WordPress does and as the plugin does.
func TestHookBody(t *testing.T) {
	t.Parallel()
	r := columns("id", number("3"), "name", "Ann", "notes", nil, "published", number("1"))
	table := schema.NewTable(r.table.TableName, r.table.Columns, []int{0})
	options := `{"alias":"com_vikappointments","call":null}`
	empty := `{"_setUserState":true,"id":null,"name":null,"notes":null,"published":null}`
	for action, test := range map[string]struct {
		insert             bool
		load               rules.Load
		named              []bool
		documented, plugin string
	}{
		"onAfterSaveOption": {
			load: rules.Basic, insert: true, named: []bool{false, true},
			documented: `{"arg1":{"id":3,"name":"Ann","notes":null,"published":null},"arg2":true}`,
			plugin: `{"arg0":{"id":3,"name":"Ann","notes":null,"published":null},"arg1":true,` +
				`"arg2":{"_setUserState":true,"id":3,"name":"Ann","notes":null,"published":null},"arg3":` + options + `}`,
		},
		"onAfterSaveReview": {
			load: rules.Full, named: []bool{false, true},
			documented: `{"arg1":{"id":3,"name":"Ann","notes":null,"published":1},"arg2":false}`,
			plugin: `{"arg0":{"id":3,"name":"Ann","notes":null,"published":1},"arg1":false,` +
				`"arg2":{"_setUserState":true,"id":3,"name":"Ann","notes":null,"published":1},"arg3":` + options + `}`,
		},
		"onCustomerSave": {
			load: rules.Basic, named: []bool{false, false, true},
			documented: `{"arg1":{"id":3,"name":null,"notes":null,"published":null},"arg2":false}`,
			plugin:     `{"arg0":{"id":3,"name":null,"notes":null,"published":null},"arg1":false,"arg2":` + options + `}`,
		},
		"onAfterSaveReservationLate": { // of orders the plugin drops what is null
			load: rules.Basic, named: []bool{false, true, true},
			documented: `{"arg1":{"id":3,"name":"Ann"},"arg2":false}`,
			plugin:     `{"arg0":{"id":3,"name":"Ann"},"arg1":false,"arg2":null,"arg3":` + options + `}`,
		},
		"onStatusChangeSubscrorder": {
			load: rules.Basic, insert: true,
			documented: `{"arg1":{"id":3,"name":"Ann","notes":null,"published":1}}`,
			plugin:     `{"arg0":{"id":3,"name":"Ann","notes":null,"published":1},"arg1":` + options + `}`,
		},
		"onAfterDeleteOption":  {documented: `{"arg1":3}`, plugin: `{"arg0":3,"arg1":` + empty + `,"arg2":` + options + `}`},
		"onAfterPublishOption": {documented: `{"arg1":3,"arg2":1}`, plugin: `{"arg0":3,"arg1":1,"arg2":` + empty + `,"arg3":` + options + `}`},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			ev := &rules.Event{Action: entity(t, action), IDs: []rules.Key{"3"}, Table: table, Row: r.row, Insert: test.insert, Named: test.named}
			for plugin, want := range map[bool]string{false: test.documented, true: test.plugin} {
				if got := string(hookBody(ev, test.load, record{table, r.row}, plugin)); got != want {
					t.Errorf("plugin %t:\n got %s\nwant %s", plugin, got, want)
				} else if !plugin {
					conforms(t, formOf(ev.Action), got)
				}
			}
			if got := string(hookBody(ev, test.load, record{}, true)); ev.Action.Kind == rules.Save && !strings.HasPrefix(got, `{"arg0":{},`) {
				t.Errorf("nothing of the row fits: %s", got)
			}
		})
	}
}

// TestRowPayload: what happened to rows of any table.
func TestRowPayload(t *testing.T) {
	t.Parallel()
	r := columns("id", number("3"), "name", "Ann")
	table := schema.NewTable(cdc.TableName{Schema: "wordpress", Name: "wp_things"}, r.table.Columns, []int{0})
	entity := &rules.Entity{Name: "custom.things", Table: "things", Custom: true}
	for want, ev := range map[string]*rules.Event{
		`{"type":"insert","table":"things","key":{"id":3},"data":{"id":3,"name":"Ann"}}`:          {Action: rules.Action{Entity: entity, Kind: rules.Save}, Insert: true},
		`{"type":"update","table":"things","key":{"id":3},"data":{"id":3,"name":"Ann"},"old":{}}`: {Action: rules.Action{Entity: entity, Kind: rules.Save}},
		`{"type":"delete","table":"things","keys":[{"id":3},{"id":4}]}`:                           {Action: rules.Action{Entity: entity, Kind: rules.Delete}},
	} {
		ev.Table, ev.Row, ev.IDs = table, r.row, []rules.Key{"3", "4"}[:1]
		if ev.Action.Kind == rules.Delete {
			ev.IDs = []rules.Key{"3", "4"}
		}
		p := rowPayload(ev, object{}, rules.Full)
		conforms(t, formOf(ev.Action), string(p.Body))
		if string(p.Body) != want || p.Object != "" {
			t.Errorf("got %s, marked %q\nwant %s", p.Body, p.Object, want)
		}
	}
}
