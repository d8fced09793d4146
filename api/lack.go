package api

import (
	"errors"

	"rowhook/rules"
	"rowhook/wordpress/relay"
)

// Lack is why a rule gets no events, or not all, and what to type.
type Lack struct {
	Rule string   `json:"rule"`
	Site string   `json:"site"` // where it gets none
	Text string   `json:"text"`
	Fix  []string `json:"fix,omitempty"`
}

// LacksOf is what a rule for a hook that leaves no row lacks on the sites whose folder is known: the relay, or its newest form. A folder
// that may not be read is no trouble: `rowhook check` asks the database, too.
func LacksOf(r *rules.Rule, sites []*rules.Site) (lacks []Lack) {
	if !r.Action.Entity.Relay || r.Disabled {
		return nil
	}
	for _, site := range sites {
		if site.Root == "" || !r.For(site) {
			continue
		}
		file, err := relay.ReadFile(site.Root)
		command := []string{"rowhook relay --site " + site.Name + " > " + relay.Path(site.Root)}
		switch {
		case errors.Is(err, relay.ErrForeign):
			lacks = append(lacks, Lack{r.Name, site.Name, "What lies in the relay's place on " + site.Name + " is no file that rowhook wrote. To write it anew, type on its web server:", command})
		case err != nil:
		case file == nil:
			lacks = append(lacks, Lack{r.Name, site.Name, "No row shows this event: it comes from the relay, one PHP file, which is not on " + site.Name + ". To install it, type on its web server:", command})
		case len(file.Lacks([]string{r.Action.Entity.Only.Value})) > 0:
			lacks = append(lacks, Lack{r.Name, site.Name, "The relay on " + site.Name + " does not relay this hook. To renew it, type on its web server:", command})
		}
	}
	return lacks
}

// lacking is what rules lack, as it was when somebody last looked.
type lacking struct {
	look func() []Lack
	last []Lack
}

// Lacks has the daemon say what the rules lack that are in force; look finds it.
func (d *Daemon) Lacks(look func() []Lack) {
	is := &lacking{look, look()}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lacking = is
}

// LookAgain looks whether the rules still lack what they did: somebody may have typed what is to be typed.
func (d *Daemon) LookAgain() {
	d.mu.Lock()
	is := d.lacking
	d.mu.Unlock()
	if is == nil {
		return
	}
	last := is.look() // it may take a while, in a folder that is another machine's
	d.mu.Lock()
	defer d.mu.Unlock()
	is.last = last
}

// ofLacks are the rules that get no events as things are, each once.
func ofLacks(lacks []Lack) (all []Trouble) {
	told := map[string]bool{}
	for _, l := range lacks {
		if told[l.Rule] {
			continue
		}
		told[l.Rule] = true
		all = append(all, Trouble{Kind: RuleLacks, NeedsYou: true, State: "set-up", What: "Rule " + l.Rule, Name: l.Rule, Rules: []string{l.Rule},
			Text: "It can wait until morning. " + l.Text, Fix: l.Fix})
	}
	return all
}
