package loader

import (
	"strings"

	"rowhook/rules"
)

// toldFields are the fields of events about rowhook itself: their kind, what they are, and which events have them (all: nil).
var toldFields = []struct {
	name, kind, text string
	of               []string
}{
	{"event", "text", "the action without `rowhook.`", nil},
	{"text", "text", "all of it in one sentence, for a chat", nil},
	{"since", "text", "when the trouble began (RFC 3339)", nil},
	{"ended", "text", "when it was over", []string{"_up", "_resumed", "_caught_up", "_averted"}},
	{"endpoint", "text", "scheme, host and port, or the order group", []string{"endpoint_"}},
	{"url", "text", "only when a single URL of the endpoint is in trouble; without what may be secret", []string{"endpoint_"}},
	{"site", "text", "the site; of purge_ only when it is a stopped site's log", []string{"site_", "purge_"}},
	{"rule", "text", "the rule whose deliveries were given up", []string{"delivery_dead"}},
	{"count", "number", "how many since it was told last", []string{"delivery_dead"}},
	{"reason", "text", "why, where that is known", []string{"endpoint_", "site_", "reader_", "purge_"}},
	{"fix", "text", "what to do, or to type", []string{"_down", "_stopped", "_dead", "_behind", "_soon"}},
}

// toldTexts say when each is told.
var toldTexts = map[string]string{
	rules.EndpointDown:   "An endpoint, or a URL of it, has not accepted anything for ten seconds, or is paused. Not told through that endpoint.",
	rules.EndpointUp:     "It accepts deliveries again, or no rule posts there any more.",
	rules.DeliveryDead:   "Deliveries of a rule were given up. Told every ten minutes at most, with their number; not of rules that tell such events themselves.",
	rules.ReaderStopped:  "The log cannot be read on (then rowhook ends), or the database has not sent it for twenty seconds, or what is read cannot be stored, as the disk is full.",
	rules.ReaderResumed:  "It is read again.",
	rules.ReaderBehind:   "What is read was committed more than five minutes ago.",
	rules.ReaderCaughtUp: "That is less than a minute again.",
	rules.SiteStopped:    "A site's events wait: it is stopped, or what its events need cannot be read.",
	rules.SiteResumed:    "It is read with the others again, or is not followed any more.",
	rules.PurgeSoon:      "The server removes the log that is needed next within six hours, and it is not read, as the reader or a site is stopped.",
	rules.PurgeAverted:   "That log is read, or kept longer, or the site that needs it is not followed any more.",
}

// toldActions are the documented actions about rowhook itself, in their order.
func toldActions() (actions []rules.Action) {
	for _, name := range rules.ToldActions() {
		a, err := rules.ParseAction(name)
		if err != nil {
			panic(err) // the list is of actions
		}
		actions = append(actions, a)
	}
	return actions
}

// toldTree is the places of an event's payload.
func toldTree(action string) *place {
	root := &place{path: "$", below: map[string]*place{}}
	for _, f := range toldFields {
		has := f.of == nil
		for _, part := range f.of {
			has = has || strings.Contains(action, part)
		}
		if has {
			root.below[f.name] = &place{path: "$." + f.name, kinds: []string{f.kind}, source: f.text}
		}
	}
	return root
}

// describeTold makes the schemas of events about rowhook itself.
func (r *reference) describeTold(add func(name, text string, tree *place, s map[string]any)) {
	for _, a := range toldActions() {
		tree := toldTree(a.String())
		s := r.schema(tree)
		s["type"], s["required"] = "object", []string{"event", "since", "text"}
		for _, at := range []string{"since", "ended"} {
			if p, ok := s["properties"].(map[string]any)[at].(map[string]any); ok {
				p["format"] = "date-time"
			}
		}
		add(a.String(), toldTexts[a.String()], tree, s)
	}
	at := func(text string) map[string]any {
		return map[string]any{"type": "string", "format": "date-time", "description": text}
	}
	add("rowhook.restored", "Rows came back into tables of a site that were dropped or emptied moments before: "+
		"`{\"event\": \"restored\", \"text\": \"...\", \"site\": \"salon\", \"tables\": {\"reservation\": 33}, \"from\": \"...\", \"to\": \"...\"}`.", nil, map[string]any{
		"type": "object", "required": []string{"event", "from", "site", "tables", "text", "to"}, "properties": map[string]any{
			"event": map[string]any{"type": "string", "const": "restored"}, "site": map[string]any{"type": "string"}, "text": map[string]any{"type": "string", "description": "all of it in one sentence, for a chat"},
			"tables": map[string]any{"type": "object", "description": "rows by table, named without its prefix", "additionalProperties": map[string]any{"type": "integer"}},
			"from":   at("when the first transaction of it was committed"), "to": at("and the last"),
		},
	})
}
