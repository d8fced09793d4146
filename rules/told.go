package rules

import (
	"slices"
	"strings"
)

// What befalls rowhook itself is told by rules too, through the outbox like all else: to a chat, to a pager. Each trouble is told
// once when it begins and once when it ends, as package trouble finds them.

// toldEntity is what the events are called that are about rowhook and the database, not about the plugin's objects.
const toldEntity = "rowhook"

// toldAll is the action of rules that want all of them.
const toldAll = toldEntity + ".*"

// The events about rowhook itself, by their actions. That of a restore is a site's, see events/restore.go.
const (
	EndpointDown    = toldEntity + ".endpoint_down"  // its deliveries wait: it does not answer, or is paused
	EndpointUp      = toldEntity + ".endpoint_up"    // it accepts deliveries again
	DeliveryDead    = toldEntity + ".delivery_dead"  // deliveries were given up; has no end
	ReaderStopped   = toldEntity + ".reader_stopped" // the log cannot be read on, or the server does not send it
	ReaderResumed   = toldEntity + ".reader_resumed" // it is read again
	ReaderBehind    = toldEntity + ".reader_behind"  // what is read was committed long ago
	ReaderCaughtUp  = toldEntity + ".reader_caught_up"
	SiteStopped     = toldEntity + ".site_stopped" // its events wait
	SiteResumed     = toldEntity + ".site_resumed"
	PurgeSoon       = toldEntity + ".purge_soon" // the server removes the log that is needed next
	PurgeAverted    = toldEntity + ".purge_averted"
	restoredAtASite = toldEntity + ".restored"
)

// ToldActions are the events about rowhook itself that package trouble tells.
func ToldActions() []string {
	return []string{
		EndpointDown, EndpointUp, DeliveryDead, ReaderStopped, ReaderResumed, ReaderBehind, ReaderCaughtUp, SiteStopped, SiteResumed,
		PurgeSoon, PurgeAverted,
	}
}

// RestoredAction is the action that tells of a restore. Its entity has no table and no loads.
func RestoredAction() Action { return Action{&Entity{Name: toldEntity}, Restored} }

// parseTold reads an action that is about rowhook itself; false when it is not one.
func parseTold(name string) (Action, bool) {
	if name == restoredAtASite {
		return RestoredAction(), true
	}
	if name == toldAll || slices.Contains(ToldActions(), name) {
		return Action{&Entity{Name: name}, Told}, true
	}
	return Action{}, false
}

// toldNames are the actions about rowhook itself, for messages.
func toldNames() string {
	return strings.Join(append(ToldActions(), restoredAtASite, toldAll), ", ")
}

// Tells says whether the rule is for what befalls rowhook itself.
func (r *Rule) Tells() bool { return r.Action.Kind == Told || r.Action.Kind == Restored }

// WantsTold says whether the rule wants an event about rowhook itself, of a site or of none ("").
func (r *Rule) WantsTold(action, site string) bool {
	if r.Action.Kind != Told || r.Action.Entity.Name != toldAll && r.Action.Entity.Name != action {
		return false
	}
	return len(r.Sites) == 0 || r.Sites[site]
}

// siteless says whether events of an action are about no site.
func siteless(action string) bool {
	return action != SiteStopped && action != SiteResumed && action != toldAll && slices.Contains(ToldActions(), action)
}
