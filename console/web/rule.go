package web

import (
	"fmt"
	"slices"
	"strings"

	"rowhook/words"
)

// Rule is a rule as the console shows it: without secrets.
type Rule struct {
	Name, Action, Hook string
	Entity, Kind       string // "appointment" and "save"
	Type               string // of saves: insert, update or both
	Statuses           []string
	Load               string
	Table              string   // of custom rules, as On is
	On                 []string // insert, update, delete
	Sites              []string // none: every site
	If                 string   // what must hold besides, as it is written; empty: nothing
	Shaped             []string // which of previous, filter and template make another payload
	URL                string   // without what may be secret
	Endpoint           string   // its name
	Place              string   // file and line
	Signed, Disabled   bool
	Relay              bool // its events leave no row
}

// nouns are what people call entities: one, and many.
var nouns = map[string][2]string{
	"appointment": {"booking", "bookings"}, "package_order": {"package order", "package orders"},
}

func noun(entity string) string {
	if n, ok := nouns[entity]; ok {
		return n[0]
	}
	return strings.ReplaceAll(entity, "_", " ")
}

func nounMany(entity string) string {
	if n, ok := nouns[entity]; ok {
		return n[1]
	}
	return noun(entity) + "s"
}

// statusNames are the plugin's status codes that it comes with.
var statusNames = map[string]string{
	"C": "confirmed", "P": "paid", "W": "pending", "X": "cancelled", "E": "removed", "R": "refunded", "N": "no-show",
}

func status(code string) string {
	if name, ok := statusNames[code]; ok {
		return code + " (" + name + ")"
	}
	return code
}

// When says which events fire the rule.
func (r Rule) When() string {
	article := "a "
	if name := noun(r.Entity); name != "" && strings.ContainsAny(name[:1], "aeiou") {
		article = "an "
	}
	one := article + noun(r.Entity)
	switch {
	case strings.HasPrefix(r.Action, "rowhook."):
		return "rowhook itself has news (" + r.Action + ")"
	case r.Relay:
		return "the plugin calls " + r.Hook
	case len(r.On) > 0:
		done := map[string]string{"insert": "inserted", "update": "updated", "delete": "deleted"}
		names := make([]string, len(r.On))
		for i, on := range r.On {
			names[i] = done[on]
		}
		return fmt.Sprintf("a row of table %s is %s", r.Table, words.List(names, "or"))
	}
	switch r.Kind {
	case "save":
		switch r.Type {
		case "insert":
			return one + " is new"
		case "update":
			return one + " is changed"
		}
		return one + " is new or changed"
	case "status_change":
		return "the status of " + one + " changes"
	case "delete":
		return nounMany(r.Entity) + " are deleted"
	case "publish":
		return one + " is published or unpublished"
	}
	return r.Action + " happens"
}

// Where says in which sites, and with which statuses.
func (r Rule) Where() string {
	where := "in every site"
	if len(r.Sites) > 0 {
		where = "in " + words.Few(r.Sites, "or")
	}
	if len(r.Statuses) == 0 {
		return where
	}
	names := make([]string, len(r.Statuses))
	for i, code := range r.Statuses {
		names[i] = status(code)
	}
	if r.Kind == "status_change" {
		return "to " + words.List(names, "or") + " " + where
	}
	return where + ", and its status is " + words.List(names, "or")
}

// What says what is posted.
func (r Rule) What() string {
	switch {
	case slices.Contains(r.Shaped, "template"):
		return "posts a body of its own"
	case slices.Contains(r.Shaped, "filter"):
		return "posts some fields of it"
	case r.Relay:
		return "posts what the hook was given"
	case r.Kind == "delete":
		return "posts their numbers"
	case r.Load == "extended":
		return "posts it with all that belongs to it"
	case r.Load == "full":
		return "posts the whole row"
	case r.Load == "basic" && r.Kind == "status_change":
		return "posts the row of its status history"
	case r.Load == "basic":
		return "posts its number and what was written of it"
	}
	return "posts it"
}
