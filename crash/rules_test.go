//go:build crash

package crash

import (
	"fmt"
	"strings"
)

// rule is a rule of the daemon's: what it wants, and which of the receivers hears of it.
type rule struct {
	name, entity string
	kind         kind
	load         string // basic, full; empty for deletes
	mirror       bool   // it goes to the mirrors, the others to the crm
}

// rules are several of one action to one receiver, in both loads, and every kind.
var rules = []rule{
	{"saves-basic", "appointment", save, "basic", false},
	{"saves-full", "appointment", save, "full", false},
	{"statuses", "appointment", status, "basic", false},
	{"deletes", "appointment", gone, "", false},
	{"customers", "customer", save, "basic", false},
	{"customers-gone", "customer", gone, "", false},
	{"mirror-saves", "appointment", save, "full", true},
	{"mirror-deletes", "appointment", gone, "", true},
	{"mirror-customers", "customer", save, "full", true},
	{"mirror-customers-gone", "customer", gone, "", true},
	{"mirror-services", "service", save, "full", true},
	{"mirror-services-gone", "service", gone, "", true},
}

// mirrorPath is the one URL of all of a mirror's rules, whose actions tell them apart. When it answers 410 the endpoint is
// paused as a whole.
const mirrorPath = "mirror"

// action is the plugin's name of what the rule wants.
func (r rule) action() string {
	verb := map[kind]string{save: "onAfterSave", status: "onStatusChange", gone: "onAfterDelete"}[r.kind]
	return verb + map[string]string{"appointment": "Reservation", "customer": "Customer", "service": "Service"}[r.entity]
}

// ruleOf is the rule of a request to a path, with an action.
func ruleOf(path, action string) (rule, bool) {
	for _, r := range rules {
		if r.name == path || path == mirrorPath && r.mirror && r.action() == action {
			return r, true
		}
	}
	return rule{}, false
}

// ruleFile is the rules for the daemon. The path of a URL is its rule's name at the crm: each is an endpoint's URL among others
// there, and alone when it answers 410. What is the mirror's goes to each of them.
func ruleFile(crm string, mirrors []string) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for _, r := range rules {
		if !r.mirror {
			r.write(&b, r.name, crm+"/"+r.name)
			continue
		}
		for n, mirror := range mirrors {
			r.write(&b, fmt.Sprintf("%s-%d", r.name, n), mirror+"/"+mirrorPath)
		}
	}
	return b.String()
}

func (r rule) write(b *strings.Builder, name, url string) {
	action := map[kind]string{save: "save", status: "status_change", gone: "delete"}[r.kind]
	fmt.Fprintf(b, "  - {name: %s, action: %s.%s, url: %q", name, r.entity, action, url)
	if r.load != "" {
		fmt.Fprintf(b, ", load: %s", r.load)
	}
	b.WriteString("}\n")
}
