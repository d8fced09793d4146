package rules

import (
	"fmt"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/words"
)

// Kind is what happened to an aggregate.
type Kind uint8

// The kinds of events.
const (
	Save Kind = iota + 1
	StatusChange
	Delete
	Restored // rows came back into a table of a site, see events/restore.go
	Rows     // in custom rules only: saves and deletes, as Rule.On says
	Publish  // an object was published, or is no longer; of the plugin's hooks only
	Fired    // a hook that leaves no row was called, see relay.go
	Told     // something befell rowhook itself, see told.go
)

func (k Kind) String() string {
	switch k {
	case Save:
		return "save"
	case StatusChange:
		return "status_change"
	case Delete:
		return "delete"
	case Restored:
		return "restored"
	case Rows:
		return "rows"
	case Publish:
		return "publish"
	case Fired:
		return "hook"
	case Told:
		return "told"
	}
	return "unknown"
}

// Load is how much of an object a payload holds.
type Load uint8

// The load modes of the plugin.
const (
	Basic Load = iota + 1
	Full
	Extended
)

func (l Load) String() string {
	switch l {
	case Basic:
		return "basic"
	case Full:
		return "full"
	case Extended:
		return "extended"
	}
	return "none"
}

// Entity is a table and how its rows become events: one of the plugin's, or one that a custom rule names. It is complete as
// data, and never changes; two with one name are the same. What of its payloads no data says is in package loader.
type Entity struct {
	Name         string   // appointment: the word rules use
	Table        string   // behind the site's prefix: vikappointments_reservation
	Key          []string // the columns of an object's key; empty: those of the table's primary key
	Hook         string   // Reservation: the plugin's word in onAfterSave... and onAfterDelete...
	Lock         string   // the column that every save of the plugin sets, and nothing else; empty without
	Created      string   // the column that says when an object was made, in UTC; empty without
	Housekeeping []string // columns whose change alone is no save
	Status       *Status  // nil: it has none
	Parts        *Parts   // nil: it has none
	Parent       *Parent  // nil: no object is the parent of others
	Group        string   // what the plugin calls the entity's invoices and notes; empty: it has none
	Notes        bool     // extended payloads show notes
	First        bool     // orders of older plugins are all of this entity
	Custom       bool     // a rule names the table; rows are its events
	Hooks        bool     // a rule names a hook of the plugin: its arguments are the payload
	Relay        bool     // a hook that leaves no row: the relay writes one
	Only         *Only    // nil: all rows of the table are its objects
	Loads        []Load
}

// Only is which rows of a table are an entity's objects: those with a value in a column.
type Only struct{ Column, Value string }

// Status is how objects of an entity have a status.
type Status struct {
	Column  string // of the entity's table
	Hook    string // Reservation: the plugin's word in onStatusChange...
	Type    string // what the history's column `type` says
	Filters bool   // rules for saves may filter by it, as those for status changes may
}

// Parts are rows of another table that belong to an object: options of an appointment, items of a package order.
type Parts struct {
	Table        string // behind the site's prefix
	Order        string // its column that names the object
	Housekeeping []string
}

// The status history holds one row for each status an order ever had.
const (
	HistoryTable  = PluginPrefix + "order_status"
	HistoryOrder  = "id_order"
	HistoryStatus = "status"
	HistoryType   = "type"
)

// TableOf is the name of the entity's table at a site.
func (e *Entity) TableOf(s *Site) cdc.TableName { return s.WordPressTable(e.Table) }

// Is says whether two are the same entity.
func (e *Entity) Is(o *Entity) bool { return e == o || e.Name == o.Name }

// customPrefix begins the names of entities that custom rules name.
const customPrefix = "custom."

// IsEntity says whether rules may call an entity so: appointment, or custom.posts of a custom rule's table.
func IsEntity(name string) bool { return EntityOf(name) != nil && name != customPrefix }

// EntityOf is the entity that rules call name, nil when there is none.
func EntityOf(name string) *Entity {
	if hooked, ok := strings.CutPrefix(name, hookPrefix); ok {
		return hookEntity(hooked)
	}
	if fired, ok := strings.CutPrefix(name, relayPrefix); ok {
		return relayEntity(fired)
	}
	if table, ok := strings.CutPrefix(name, customPrefix); ok {
		return parseCustom(table)
	}
	i := slices.IndexFunc(pluginEntities, func(e *Entity) bool { return e.Name == name })
	if i < 0 {
		return nil
	}
	return pluginEntities[i]
}

// customEntity is a table of a site, named without its prefix. Without columns that are its key, that is the primary key.
func customEntity(table string, key ...string) *Entity {
	e := &Entity{Name: customPrefix + table, Table: table, Key: key, Custom: true, Loads: []Load{Basic, Full}}
	if len(key) > 0 {
		e.Name += "." + strings.Join(key, ",") // no such rule's table has a dot, and no such column a comma
	}
	return e
}

// parseCustom is the entity that customEntity named so, without customPrefix.
func parseCustom(name string) *Entity {
	table, key, keyed := strings.Cut(name, ".")
	if !keyed {
		return customEntity(table)
	}
	return customEntity(table, strings.Split(key, ",")...)
}

// KeyOf is where the columns of an object's key stand in a table; -1 for one that it does not have. None: the table has no key.
func (e *Entity) KeyOf(t *cdc.Table) []int {
	if !e.Custom || len(e.Key) == 0 {
		return t.Key
	}
	at := make([]int, len(e.Key))
	for i, column := range e.Key {
		if at[i] = t.Index(column); at[i] < 0 { // the server takes ID for id
			at[i] = slices.IndexFunc(t.Columns, func(name string) bool { return strings.EqualFold(name, column) })
		}
	}
	return at
}

// Action is what a rule asks for: an entity and a kind.
type Action struct {
	Entity *Entity
	Kind   Kind
}

// String is the action as rules name it: appointment.save; of a custom rule its table, custom.posts, or its hook.
func (a Action) String() string {
	switch {
	case a.Kind == Rows:
		return customPrefix + a.Entity.Table
	case a.Kind == Told:
		return a.Entity.Name
	case a.Entity.Hooks:
		return a.Hook()
	case a.Entity.Custom && !a.Entity.Relay:
		return customPrefix + a.Entity.Table + "." + a.Kind.String()
	}
	return a.Entity.Name + "." + a.Kind.String()
}

// Hook is the plugin's name of the action, onAfterSaveReservation; of what befalls rowhook itself its own.
func (a Action) Hook() string {
	switch {
	case a.Entity.Hooks:
		return a.Entity.hookOf(a.Kind)
	case a.Entity.Custom:
		return customAction
	}
	switch a.Kind {
	case StatusChange:
		return "onStatusChange" + a.Entity.Status.Hook
	case Delete:
		return "onAfterDelete" + a.Entity.Hook
	case Restored, Told:
		return a.String() // the plugin has none
	}
	return "onAfterSave" + a.Entity.Hook
}

// HasStatuses says whether rules for the action may filter by status.
func (a Action) HasStatuses() bool {
	return a.Kind == StatusChange || a.Kind == Save && a.Entity.Status != nil && a.Entity.Status.Filters
}

// customAction is the action of rules for rows of any table.
const customAction = "custom"

// Actions lists the documented actions of the plugin, in the order of its documentation.
func Actions() []Action {
	var actions []Action
	for _, e := range Entities() {
		for _, k := range []Kind{Save, StatusChange, Delete} {
			if k != StatusChange || e.Status != nil {
				actions = append(actions, Action{e, k})
			}
		}
	}
	return actions
}

// ParseAction reads an action under one of its names: appointment.save or onAfterSaveReservation, or another hook's.
func ParseAction(name string) (Action, error) {
	var names []string
	for _, a := range Actions() {
		if name == a.String() || name == a.Hook() {
			return a, nil
		}
		names = append(names, a.String())
	}
	if a, ok := parseTold(name); ok {
		return a, nil
	}
	if strings.HasPrefix(name, toldEntity+".") {
		return Action{}, fmt.Errorf("%.80q is no event about rowhook itself; write one of %s", name, toldNames())
	}
	if name == customAction {
		return Action{}, fmt.Errorf("%q takes a table: write for example  table: posts", name)
	}
	names = append(names, customAction)
	if isHook(name) || mayBeForeign(name) && words.Nearest(name, names, slips(name)) == "" {
		return parseHook(name, false)
	}
	ask := "; write one of"
	if near := words.DidYouMean(name, names); near != "" {
		ask = near + " There are"
	}
	return Action{}, fmt.Errorf("%.80q is no action%s %s, and the plugin's hooks. If another plugin has a hook of that name, add  relay: {allow_unknown: true}", name, ask, strings.Join(names, ", "))
}

// Entities lists the entities of the plugin in the order of its documentation. Facts are from plugin/FINDINGS.md, sections 2
// to 8.
func Entities() []*Entity { return pluginEntities }

// pluginEntities never change.
var pluginEntities = []*Entity{
	{
		Name: "appointment", Table: PluginPrefix + "reservation", Key: []string{"id"}, Hook: "Reservation", Lock: "locked_until", Created: "createdon",
		Status: &Status{Column: "status", Hook: "Reservation", Type: "reservation", Filters: true},
		Parts:  &Parts{Table: PluginPrefix + "res_opt_assoc", Order: "id_reservation"},
		Parent: &Parent{Column: "id_parent", Staff: "id_employee"},
		Housekeeping: []string{
			"locked_until", "modifiedon", "cc_data", "skip_deposit", "conversion", "icaluid", "icalhash", "payment_attempt", "log",
		},
		Group: "appointments", Notes: true, First: true, Loads: []Load{Basic, Full, Extended},
	},
	{
		Name: "package_order", Table: PluginPrefix + "package_order", Key: []string{"id"}, Hook: "Packorder", Created: "createdon",
		Status:       &Status{Column: "status", Hook: "Packageorder", Type: "package_order"},
		Parts:        &Parts{Table: PluginPrefix + "package_order_item", Order: "id_order", Housekeeping: []string{"used_app", "modifiedon"}},
		Housekeeping: []string{"cc_data", "payment_attempt", "log"},
		Group:        "packages", Loads: []Load{Basic, Full, Extended},
	},
	{Name: "customer", Table: PluginPrefix + "users", Key: []string{"id"}, Hook: "Customer", Loads: []Load{Basic, Full}},
	{Name: "employee", Table: PluginPrefix + "employee", Key: []string{"id"}, Hook: "Employee", Loads: []Load{Basic, Full}},
	{Name: "service", Table: PluginPrefix + "service", Key: []string{"id"}, Hook: "Service", Housekeeping: []string{"ordering"}, Loads: []Load{Basic, Full}},
	{Name: "coupon", Table: PluginPrefix + "coupon", Key: []string{"id"}, Hook: "Coupon", Loads: []Load{Basic, Full}},
}
