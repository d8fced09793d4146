package web

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"

	"rowhook/outbox"
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
	Own                      bool
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
	p.Head = Head{Count: count(len(p.Rows), "rule", "rules"), Parts: headParts(states, []headPart{
		{"needs", plural(states["needs"], "needs you", "need you")}, {"paused", plural(states["paused"], "posts to a paused URL", "post to a paused URL")},
		{"down", plural(states["down"], "posts to a receiver that is down", "post to receivers that are down")}, {"waiting", plural(states["waiting"], "is disabled", "are disabled")},
		{"up", plural(states["up"], "is at work", "are at work")},
	})}
	if v.q.URL.Query().Get("all") == "" && len(p.Rows) > maxListed {
		p.Rest = len(p.Rows) - maxListed
		p.Rows = p.Rows[:maxListed]
	}
	return v.show(http.StatusOK, "rules", "Rules: "+p.Head.Text(), "/rules", p)
}

func (v *view) ruleRow(r Rule) ruleRow {
	row := ruleRow{Rule: r, Class: "up", rank: 4, Own: v.who.owns(r)}
	if v.who.all() {
		for _, k := range v.seen.status.Outbox.Deliveries {
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
	g := v.gatesOf(&outbox.Stored{Delivery: outbox.Delivery{Rule: r.Name, Endpoint: r.Endpoint}})
	link := "/endpoints?open=" + r.Endpoint + "#" + r.Endpoint
	switch {
	case r.Disabled:
		row.Class, row.Word, row.rank, row.Text = "waiting", "disabled", 3, "It has enabled: false. What is stored for it is held."
	case len(r.Lacks) > 0:
		row.Class, row.Word, row.rank = "needs", "set-up", 0
	case g.paused != nil:
		row.Class, row.Word, row.rank, row.Link = "paused", "paused", 1, link
		row.Text = "Paused since " + clock(g.paused.since, v.now) + ": " + g.paused.reason + ". Put the new URL into the file, or resume it."
	case !g.down.IsZero():
		row.Class, row.Word, row.rank, row.Link = "down", "down", 2, link
		row.Text = "Its receiver is down since " + clock(g.down, v.now) + ". What waits goes out by itself."
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
