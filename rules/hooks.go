package rules

import (
	"slices"
	"strings"
	"unicode"
)

// The plugin has more hooks than its documentation lists, and a webhook of it may name any. Those that leave a row are made
// of the log, here, and relay.go has the others; plugin/HOOKS.md, E.2 and E.3, has them all. Each class of the plugin's tables has three: an object was
// saved, deleted or published.

// hookPrefix begins the names of entities that such rules name.
const hookPrefix = "hook."

// hookTables are the tables of the plugin's classes, behind the plugin's prefix, by class. They never change.
var hookTables = map[string]string{
	"Apiban": "api_ban", "Apilog": "api_login_logs", "Apiuser": "api_login", "Apiuseroptions": "api_login_event_options",
	"City": "cities", "Configuration": "config", "Conversion": "conversion", "Country": "countries", "Coupon": "coupon",
	"Couponemployee": "coupon_employee_assoc", "Coupongroup": "coupon_group", "Couponservice": "coupon_service_assoc",
	"Cronjob": "cronjob", "Cronjoblog": "cronjob_log", "Customer": "users", "Customf": "custfields",
	"Customfservice": "cf_service_assoc", "Empgroup": "employee_group", "Employee": "employee", "Empsettings": "employee_settings",
	"Group": "group", "Invoice": "invoice", "Langcustomf": "lang_customf", "Langempgroup": "lang_empgroup",
	"Langemployee": "lang_employee", "Langgroup": "lang_group", "Langmedia": "lang_media", "Langoption": "lang_option",
	"Langoptiongroup": "lang_option_group", "Langoptionvar": "lang_option_value", "Langpackage": "lang_package",
	"Langpackgroup": "lang_package_group", "Langpayment": "lang_payment", "Langservice": "lang_service",
	"Langstatuscode": "lang_status_code", "Langsubscr": "lang_subscr", "Langtax": "lang_tax", "Langtaxrule": "lang_tax_rule",
	"Location": "employee_location", "Mailtext": "cust_mail", "Media": "media", "Option": "option", "Optiongroup": "option_group",
	"Optionvar": "option_value", "Orderstatus": "order_status", "Package": "package", "Packageservice": "package_service",
	"Packgroup": "package_group", "Packorder": "package_order", "Packorderitem": "package_order_item", "Payment": "gpayments",
	"Rate": "special_rates", "Reservation": "reservation", "Resoptassoc": "res_opt_assoc", "Restriction": "special_restrictions",
	"Review": "reviews", "Serempassoc": "ser_emp_assoc", "Seroptassoc": "ser_opt_assoc", "Serrateassoc": "ser_rates_assoc",
	"Serrestrassoc": "ser_restr_assoc", "Service": "service", "State": "states", "Statswidget": "stats_widget",
	"Statuscode": "status_code", "Subscription": "subscription", "Subscrorder": "subscr_order", "Tag": "tag", "Tax": "tax",
	"Taxrule": "tax_rule", "Usernote": "user_notes", "Waitinglist": "waitinglist", "Worktime": "emp_worktime",
} // not webhook: the plugin offers none of its hooks to webhooks

// The hooks that are not of a class but leave a row as well.
const (
	CustomerSaveHook    = "onCustomerSave"
	ReservationLateHook = "onAfterSaveReservationLate" // behind the options and the status of an appointment; not of closures
	SubscriptionHook    = "onStatusChangeSubscrorder"
)

// hookEntity is the rows behind hooks: of a class, Option, or of one hook, onCustomerSave. Nil when there is none.
func hookEntity(name string) *Entity {
	e := &Entity{Name: hookPrefix + name, Hook: name, Custom: true, Hooks: true, Loads: []Load{Basic, Full}}
	switch name {
	case CustomerSaveHook:
		e.Table = "users"
	case ReservationLateHook:
		e.Table, e.Lock, e.Only = "reservation", "locked_until", &Only{"closure", "0"}
	case SubscriptionHook:
		e.Table, e.Only = "order_status", &Only{HistoryType, "subscr_order"}
	default:
		if e.Table = hookTables[name]; e.Table == "" {
			return nil
		}
	}
	e.Table = PluginPrefix + e.Table
	return e
}

// IsSingle says whether an entity is of one hook.
func (e *Entity) IsSingle() bool { return strings.HasPrefix(e.Hook, "on") }

// hookOf is the name of the hook that tells of a kind of event.
func (e *Entity) hookOf(k Kind) string {
	switch {
	case e.Relay, e.IsSingle():
		return e.Hook
	case k == Delete:
		return "onAfterDelete" + e.Hook
	case k == Publish:
		return "onAfterPublish" + e.Hook
	}
	return "onAfterSave" + e.Hook
}

// HookActions are the plugin's hooks that leave a row, beside those that it documents, in the order of their names.
func HookActions() []Action {
	return slices.SortedFunc(slices.Values(hookActions()), func(a, b Action) int { return strings.Compare(a.Hook(), b.Hook()) })
}

// RelayHooks are the names of those that leave none, in their order.
func RelayHooks() []string { return slices.Sorted(relayHooks()) }

// hookActions lists the hooks that leave a row and that the plugin does not document.
func hookActions() (actions []Action) {
	for _, single := range []string{CustomerSaveHook, ReservationLateHook, SubscriptionHook} {
		actions = append(actions, Action{hookEntity(single), Save})
	}
	for class := range hookTables {
		for _, k := range []Kind{Save, Delete, Publish} {
			actions = append(actions, Action{hookEntity(class), k})
		}
	}
	return actions
}

// knownHook is the action of a hook in either spelling: onAfterSaveOption, or vikappointments_after_save_option as WordPress
// has it, where other code than the plugin's own pages leaves out the prefix.
func knownHook(name string) (Action, bool) {
	spelt := strings.TrimPrefix(name, wordPressPrefix)
	for _, a := range slices.Concat(Actions(), hookActions()) { // a documented one is what the documentation says
		if hook := a.Hook(); hook == name || wordPressHook(hook) == spelt {
			return a, true
		}
	}
	return Action{}, false
}

// parseHook is the action of a hook's name; unknown says that it may be a name that is nearly a known one.
func parseHook(name string, unknown bool) (Action, error) {
	if a, ok := knownHook(name); ok {
		return a, nil
	}
	return relayAction(name, unknown)
}

// isHook says whether a name looks like that of a hook.
func isHook(name string) bool {
	if _, ok := knownHook(name); ok || isJoomla(name) || strings.HasPrefix(name, wordPressPrefix) {
		return true
	}
	for hook := range relayHooks() {
		if wordPressHook(hook) == name {
			return true
		}
	}
	return slices.ContainsFunc(slices.Concat(nativeHooks, []string{"after_", "before_"}), func(p string) bool { return strings.HasPrefix(name, p) })
}

// mayBeForeign says whether a name that is none of the plugin's may be of another plugin's hook: words with _ between them, where our own
// have dots.
func mayBeForeign(name string) bool {
	return strings.Contains(name, "_") && !strings.Contains(name, ".") && relayName.MatchString(name)
}

// slips is in how many letters, and one less, a name may differ from a known one to be taken for a slip of the pen. One that does not
// even begin as the plugin's hooks do is most likely another plugin's, unless it is all but the same.
func slips(name string) int {
	const ofForeign = 3
	if least := len(shortHook(name))/3 + 1; isHook(name) || least < ofForeign {
		return least
	}
	return ofForeign
}

// wordPressPrefix begins the names of the plugin's hooks in WordPress.
const wordPressPrefix = "vikappointments_"

// wordPressHook is the name of a hook in WordPress, without the prefix (plugin/HOOKS.md, E.1): after_save_option.
func wordPressHook(name string) string {
	name = strings.ReplaceAll(strings.TrimPrefix(name, "on"), "VikAppointments", "")
	var b strings.Builder
	lower := false
	for _, r := range name {
		if lower && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
