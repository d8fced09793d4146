package rules

import (
	"fmt"
	"strings"
)

// Kind is what happened to an aggregate.
type Kind uint8

// The kinds of events.
const (
	Save Kind = iota + 1
	StatusChange
	Delete
	Restored // rows came back into a table of a site, see restore.go
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

// Entity is a table of the plugin and how its rows become events. Facts are from plugin/FINDINGS.md, sections 2 to 8.
type Entity struct {
	Name             string   // appointment: the word rules use
	Table            string   // reservation: behind <prefix>vikappointments_
	Hook             string   // Reservation: the plugin's word in onAfterSave... and onAfterDelete...
	StatusHook       string   // Reservation: in onStatusChange...; empty when it has no status
	StatusType       string   // column type of order_status
	Lock             string   // the column that every save of the plugin sets, and nothing else; empty without
	Parts            string   // table whose rows belong to an order; empty without
	PartOrder        string   // its column that names the order
	Created          string   // the column that says when an object was made, in UTC; empty without
	Housekeeping     []string // columns whose change alone is no save
	PartHousekeeping []string
	MultiOrders      bool // rows may be parents of multi-orders, see IsParent
	Loads            []Load
}

// Action is what a rule asks for: an entity and a kind.
type Action struct {
	Entity *Entity
	Kind   Kind
}

// String is the action as rules name it: appointment.save.
func (a Action) String() string { return a.Entity.Name + "." + a.Kind.String() }

// Hook is the plugin's name of the action, onAfterSaveReservation; of what befalls rowhook itself its own.
func (a Action) Hook() string {
	switch a.Kind {
	case StatusChange:
		return "onStatusChange" + a.Entity.StatusHook
	case Delete:
		return "onAfterDelete" + a.Entity.Hook
	case Restored:
		return a.String() // the plugin has none
	}
	return "onAfterSave" + a.Entity.Hook
}

// HasStatuses says whether rules for the action may filter by status.
func (a Action) HasStatuses() bool {
	return a.Kind == StatusChange || a.Kind == Save && a.Entity.Name == "appointment"
}

// Actions lists the documented actions of the plugin, in the order of its documentation.
func Actions() []Action {
	var actions []Action
	for _, e := range entities() {
		for _, k := range []Kind{Save, StatusChange, Delete} {
			if k != StatusChange || e.StatusHook != "" {
				actions = append(actions, Action{e, k})
			}
		}
	}
	return actions
}

// ParseAction reads an action under either of its names: appointment.save or onAfterSaveReservation.
func ParseAction(name string) (Action, error) {
	var names []string
	for _, a := range Actions() {
		if name == a.String() || name == a.Hook() {
			return a, nil
		}
		names = append(names, a.String())
	}
	if name == restored().String() {
		return restored(), nil
	}
	if strings.HasPrefix(name, bridgeEntity+".") {
		return Action{}, fmt.Errorf("%.80q is not supported by this version, which has %s only", name, restored())
	}
	if name == "custom" || strings.HasPrefix(name, "on") {
		return Action{}, fmt.Errorf("%.80q is a custom hook, which is not supported by this version; write a documented action, for example appointment.save", name)
	}
	return Action{}, fmt.Errorf("%.80q is no action; write one of %s", name, strings.Join(names, ", "))
}

// bridgeEntity is what the events are called that are about rowhook and the database, not about the plugin's objects.
const bridgeEntity = "rowhook"

// restored is the action that tells of a restore. Its entity has no table and no loads.
func restored() Action { return Action{&Entity{Name: bridgeEntity}, Restored} }

// entities lists the entities of the plugin in the order of its documentation.
func entities() []*Entity {
	return []*Entity{
		{
			Name: "appointment", Table: "reservation", Hook: "Reservation", StatusHook: "Reservation", StatusType: "reservation",
			Lock: "locked_until", Parts: "res_opt_assoc", PartOrder: "id_reservation", Created: "createdon", MultiOrders: true,
			Housekeeping: []string{
				"locked_until", "modifiedon", "cc_data", "skip_deposit", "conversion", "icaluid", "icalhash", "payment_attempt", "log",
			},
			Loads: []Load{Basic, Full, Extended},
		},
		{
			Name: "package_order", Table: "package_order", Hook: "Packorder", StatusHook: "Packageorder", StatusType: "package_order",
			Parts: "package_order_item", PartOrder: "id_order", Created: "createdon",
			Housekeeping:     []string{"cc_data", "payment_attempt", "log"},
			PartHousekeeping: []string{"used_app", "modifiedon"},
			Loads:            []Load{Basic, Full, Extended},
		},
		{Name: "customer", Table: "users", Hook: "Customer", Loads: []Load{Basic, Full}},
		{Name: "employee", Table: "employee", Hook: "Employee", Loads: []Load{Basic, Full}},
		{Name: "service", Table: "service", Hook: "Service", Housekeeping: []string{"ordering"}, Loads: []Load{Basic, Full}},
		{Name: "coupon", Table: "coupon", Hook: "Coupon", Loads: []Load{Basic, Full}},
	}
}
