package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"rowhook/words"
)

// A hook that leaves no row in the database reaches the binary log through the relay: one file in WordPress (package
// wordpress/relay) that writes a row into a table of the site each time such a hook is called. Each row is an event.

// The table that the relay writes to, behind the site's prefix, and its column that names the hook, as WordPress does without
// the plugin's prefix.
const (
	RelayTable      = "rowhook_relay"
	relayHookColumn = "hook"
	relayPrefix     = "relay." // begins the names of entities that are hooks of the relay
)

// relayName is what the relay can subscribe to, and what can stand in names of entities and in PHP as it is.
var relayName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,120}$`)

// relayEntity is the rows that tell of a hook, nil when it cannot be a hook's name.
func relayEntity(hook string) *Entity {
	if !relayName.MatchString(hook) || isWebhook(hook) {
		return nil
	}
	return &Entity{
		Name: relayPrefix + hook, Table: RelayTable, Hook: hook, Custom: true, Hooks: true, Relay: true,
		Only: &Only{relayHookColumn, shortHook(hook)},
	}
}

// shortHook is a hook's name in WordPress without the plugin's prefix, whichever way it is spelt.
func shortHook(name string) string {
	if isJoomla(name) {
		return wordPressHook(name)
	}
	return strings.TrimPrefix(name, wordPressPrefix)
}

// isJoomla says whether a name is spelt as the plugin itself does, onAddItemCart.
func isJoomla(name string) bool {
	rest, joomla := strings.CutPrefix(name, "on")
	return joomla && rest != "" && unicode.IsUpper([]rune(rest)[0])
}

// isWebhook says whether a hook is about webhooks: the plugin offers none of those, so that none tells of itself.
func isWebhook(name string) bool {
	short := strings.ReplaceAll(strings.ToLower(name), "_", "")
	return strings.Contains(short, "webhook")
}

// relayAction is the action of a hook that leaves no row, in either spelling. One that nobody knows may be another plugin's; but
// when it is nearly a known one it is refused, unless it is meant so.
func relayAction(name string, unknown bool) (Action, error) {
	short := shortHook(name)
	known := map[string]string{} // by their short names
	for hook := range relayHooks() {
		known[wordPressHook(hook)] = hook
	}
	if hook := known[short]; hook != "" {
		return Action{relayEntity(hook), Fired}, nil
	}
	for _, a := range slices.Concat(Actions(), hookActions()) { // those that leave a row
		known[wordPressHook(a.Hook())] = a.Hook()
	}
	nearest := known[words.Nearest(short, slices.Sorted(maps.Keys(known)), slips(name))]
	e := relayEntity(name)
	switch {
	case isWebhook(name):
		return Action{}, fmt.Errorf("%.80q is no hook that rules can have: it is about webhooks themselves", name)
	case e == nil:
		return Action{}, fmt.Errorf("%.80q cannot be the name of a hook; write 1 to 120 letters, digits, '_', '.' or '-'", name)
	case nearest != "" && !unknown && !isHot(short) && !isNative(name): // families of which nobody knows all
		if !isJoomla(name) {
			nearest = wordPressPrefix + wordPressHook(nearest)
		}
		return Action{}, fmt.Errorf("%.80q is no hook that the plugin has; did you mean %s? If another plugin has a hook of that name, add  relay: {allow_unknown: true}", name, nearest)
	}
	return Action{e, Fired}, nil
}

// IsKnown says whether the plugin is known to have the hook of an action.
func (a Action) IsKnown() bool {
	if !a.Entity.Relay {
		return true
	}
	for hook := range relayHooks() {
		if hook == a.Entity.Hook {
			return true
		}
	}
	return a.IsHot() || isNative(a.Entity.Hook)
}

func isNative(name string) bool {
	return slices.ContainsFunc(nativeHooks, func(p string) bool { return strings.HasPrefix(name, p) })
}

// IsHot says whether a hook is called many times while one page is made: for queries, for what is displayed, and for each
// object of the framework that is stored.
func (a Action) IsHot() bool { return a.Entity.Relay && isHot(a.Entity.Only.Value) }

func isHot(short string) bool {
	return slices.Contains(hotHooks, short) || slices.ContainsFunc(hotPrefixes, func(p string) bool { return strings.HasPrefix(short, p) }) ||
		strings.HasPrefix(short, "build_") && (strings.HasSuffix(short, "_query") || strings.HasSuffix(short, "_data"))
}

// RelayHooks are the hooks that enabled rules want of a site through the relay, as its table names them, in order.
func (s *Set) RelayHooks(site *Site) (hooks []string) {
	for _, e := range s.Named(site) {
		if e.Relay && !slices.Contains(hooks, e.Only.Value) {
			hooks = append(hooks, e.Only.Value)
		}
	}
	slices.Sort(hooks)
	return hooks
}

// relayEntry is what a rule for a hook that leaves no row may say about the relay.
type relayEntry struct {
	AllowHot     bool `yaml:"allow_hot"`     // also one that is called many times while one page is made
	AllowUnknown bool `yaml:"allow_unknown"` // also one of another plugin that looks like a misspelt name
}

// action is what a rule that is not for rows of a table wants.
func (c check) action(e entry) (Action, error) {
	a, err := ParseAction(e.Action)
	if err != nil && (isHook(e.Action) || e.Relay.AllowUnknown) {
		a, err = parseHook(e.Action, e.Relay.AllowUnknown)
	}
	switch {
	case err != nil:
		return a, err
	case !a.Entity.Relay && c.has("relay"):
		c.faultf("relay", "is for hooks that leave no row in the database, and this is %s; remove it", a)
	case a.IsHot() && !e.Relay.AllowHot:
		return a, fmt.Errorf("%s is called many times while one page is made, and would slow each; if it must be, add  relay: {allow_hot: true}", a)
	}
	return a, nil
}
