package api

import (
	"slices"
	"strings"
	"time"

	"rowhook/deliver"
	"rowhook/lasting"
	"rowhook/words"
)

// Wrong has the daemon show what lasts and is wrong; list lists it.
func (d *Daemon) Wrong(list func() []lasting.Wrong) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wrong = list
}

// ofWrong are the things that are wrong, last and need a person. The others are warnings, which `rowhook check` shows.
func ofWrong(list []lasting.Wrong) (all []Trouble) {
	for _, w := range list {
		if !w.NeedsYou {
			continue
		}
		t := Trouble{Kind: LastingWrong, NeedsYou: true, State: "set-up", Since: w.Since, Reason: w.Found,
			What: strings.TrimSuffix(words.Sentence(w.About+": "+w.Text), ".")}
		t.fix(w.Fix, "")
		all = append(all, t)
	}
	return all
}

// Lasting are those troubles of a process that nobody else repeats in its log, for lasting.Board. What befalls sites and reading they
// repeat themselves.
func (s *Status) Lasting(now time.Time) (all []lasting.Wrong) {
	own := *s
	own.Endpoints = slices.DeleteFunc(slices.Clone(s.Endpoints), func(e deliver.EndpointStatus) bool { return e.Elsewhere }) // who delivers there says so
	for _, t := range own.Troubles(now) {
		w := lasting.Wrong{About: t.What, Text: words.Lower(t.Headline()), Found: words.Join(words.Sentence(t.Reason), t.Text), Fix: strings.Join(t.Fix, "; ")}
		switch t.Kind {
		case EndpointPaused, EndpointDown:
			w.Told = true
			if t.URL != "" {
				w.About = t.URL
			}
		case DeadLetters:
			w.About, w.Told = "dead letters", true
		case HeldDeliveries:
			w.About = "held deliveries"
		case PurgeSoon:
			if t.Site != "" {
				continue
			}
			w.About = "the log"
		case RuleLacks:
		default:
			continue
		}
		all = append(all, w)
	}
	return all
}
