package api

import (
	"rowhook/rules"
	"rowhook/wordpress/relay"
)

// Lack is why a rule gets no events, or not all, and what to type.
type Lack struct {
	Rule string   `json:"rule"`
	Text string   `json:"text"`
	Fix  []string `json:"fix,omitempty"`
}

// LacksOf is what a rule for a hook that leaves no row lacks on the sites whose folder is known: the relay, or its newest form.
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
		case err != nil:
			lacks = append(lacks, Lack{Rule: r.Name, Text: "Whether the relay is on " + site.Name + " is not known: " + err.Error() + "."})
		case file == nil:
			lacks = append(lacks, Lack{r.Name, "No row shows this event: it comes from the relay, one PHP file, which is not on " + site.Name + ". To install it, type on its web server:", command})
		case len(file.Lacks([]string{r.Action.Entity.Only.Value})) > 0:
			lacks = append(lacks, Lack{r.Name, "The relay on " + site.Name + " does not relay this hook. To renew it, type on its web server:", command})
		}
	}
	return lacks
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
