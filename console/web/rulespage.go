package web

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"

	"rowhook/api"
	"rowhook/outbox"
	"rowhook/words"
)

// rulesPage is all rules, those that need a person first.
type rulesPage struct {
	Head Head
	Rows []ruleRow
	Rest int // how many more there are
	Sent *sent
}

// ruleRow is a rule with how it goes.
type ruleRow struct {
	Rule
	Class, Word              string
	Text                     string // why it does not get on
	Link                     string
	Own                      bool // it serves nobody else; otherwise the numbers are not shown
	Lacks                    []api.Lack
	Waiting, Delivered, Dead int
	rank                     int
}

// sent is what came of a sample.
type sent struct{ Rule, Said, Wrong string }

func (c *Console) rules(v *view) error { return v.showRules(nil) }

func (v *view) showRules(s *sent) error {
	p := rulesPage{Sent: s}
	states := map[string]int{}
	for _, r := range v.rules {
		row := v.ruleRow(r)
		states[row.Class]++
		p.Rows = append(p.Rows, row)
	}
	slices.SortStableFunc(p.Rows, func(a, b ruleRow) int { return cmp.Compare(a.rank, b.rank) })
	p.Head = Head{Count: words.Count(len(p.Rows), "rule", "rules"), Parts: headParts(states, []headPart{
		{"needs", words.Plural(states["needs"], "needs you", "need you")}, {"paused", words.Plural(states["paused"], "posts to a paused URL", "post to a paused URL")},
		{"down", words.Plural(states["down"], "posts to a receiver that is down", "post to receivers that are down")}, {"waiting", words.Plural(states["waiting"], "is disabled", "are disabled")},
		{"up", words.Plural(states["up"], "is at work", "are at work")},
	})}
	if v.q.URL.Query().Get("all") == "" && len(p.Rows) > maxListed {
		p.Rest = len(p.Rows) - maxListed
		p.Rows = p.Rows[:maxListed]
	}
	return v.show(http.StatusOK, "rules", "Rules: "+p.Head.Text(), "/rules", p)
}

func (p *picture) ruleRow(r Rule) ruleRow {
	row := ruleRow{Rule: r, Class: "up", rank: 4, Own: p.who.owns(r)}
	if row.Own {
		for _, k := range p.seen.status.Outbox.Deliveries {
			if k.Rule != r.Name {
				continue
			}
			switch k.State {
			case outbox.Dead.String():
				row.Dead = k.Count
			case outbox.Delivered.String():
				row.Delivered = k.Count
			case outbox.Fresh.String(), outbox.Waiting.String():
				row.Waiting += k.Count
			}
		}
	}
	gates := p.status().Gates(&outbox.Stored{Delivery: outbox.Delivery{Rule: r.Name, Endpoint: r.Endpoint}}, nil, p.now)
	why := api.Why(gates)
	for _, l := range p.status().Lacks {
		if l.Rule == r.Name {
			row.Lacks = append(row.Lacks, l)
		}
	}
	switch {
	case r.Disabled:
		row.Class, row.Word, row.rank, row.Text = "waiting", "disabled", 3, "It has enabled: false. What is stored for it is held."
	case len(row.Lacks) > 0:
		row.Class, row.Word, row.rank = "needs", "set-up", 0
	case why != nil && why.Name == api.PauseGate:
		row.Class, row.Word, row.rank, row.Link, row.Text = "paused", "paused", 1, endpointLink(r.Endpoint), words.Join(why.Text, "Put the new URL into the file, or resume it.")
	case why != nil && why.Name == api.BreakerGate:
		row.Class, row.Word, row.rank, row.Link, row.Text = "down", "down", 2, endpointLink(r.Endpoint), why.Text
	}
	return row
}

// sendSample posts invented data to a rule's URL.
func (c *Console) sendSample(v *view) error {
	r, ok := v.rule(v.q.PostFormValue("name"))
	if !ok || !v.who.owns(r) {
		return v.message(http.StatusForbidden, "That is not yours to send", "This rule is not there, or it serves sites that you do not see, too.")
	}
	said, err := c.opts.Orders.Sample(v.q.Context(), r.Name)
	c.log.Info("the console sent a sample", slog.String("user", v.who.name()), slog.String("rule", r.Name), slog.String("answer", said), slog.Any("error", err))
	s := &sent{Rule: r.Name, Said: said}
	if err != nil {
		s.Wrong = err.Error()
	}
	return v.showRules(s)
}
