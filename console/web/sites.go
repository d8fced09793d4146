package web

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rowhook/api"
	"rowhook/words"
)

// sitesPage is the log and all sites, those that need a person first.
type sitesPage struct {
	Head    Head
	Numbers []figure
	All     bool
	Rows    []siteRow
	Rest    int // how many more there are
	Done    string
	Sure    string // the site that is to go on from now, before it does
}

// siteRow is a site with how it stands.
type siteRow struct {
	Site
	Of                 string // the site, when the row is of a table of it that rules name; otherwise as Name
	Class, Word, Small string
	Behind             string
	Events             int
	Reason, Fix        string
	Cmds               []string
	Position, At       string
	Ways               []string
	Stopped, Gone      bool
	Since, Read        time.Time
	Kept               string
	Open               bool
	Toggle             string
	rank               int
}

func (c *Console) sites(v *view) error { return v.showSites("") }

func (v *view) showSites(sure string) error {
	p := sitesPage{All: v.who.all(), Sure: sure, Done: map[string]string{
		"resume": "It goes on. How far it is shows here.", "now": "It goes on from now.",
	}[v.q.URL.Query().Get("done")]}
	byName := map[string]Site{}
	for _, s := range v.c.opts.Sites() {
		byName[s.Name] = s
	}
	states, named, s := map[string]int{}, map[string]string{}, v.status()
	sites, open := 0, cmp.Or(sure, v.q.URL.Query().Get("open"))
	for _, is := range s.Sites {
		r := v.siteRow(is, byName[api.SiteOf(is.Name)], s.Reader, open)
		states[r.Class]++
		named[r.Class] = r.Name
		p.Rows = append(p.Rows, r)
		if r.Of == r.Name {
			sites++
		}
	}
	slices.SortStableFunc(p.Rows, func(a, b siteRow) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Name, b.Name)) })
	p.Numbers = v.logFigures()
	p.Head = Head{Count: words.Count(sites, "site", "sites"), Parts: headParts(states, []headPart{
		{"stopped", words.Plural(states["stopped"], "is stopped", "are stopped")}, {"held", words.Plural(states["held"], "waits", "wait")}, {"needs", words.Plural(states["needs"], "needs you", "need you")},
		{"behind", words.Plural(states["behind"], "catches up", "catch up")}, {"up", words.Plural(states["up"], "is well", "are well")},
	})}
	for i, part := range p.Head.Parts { // one in trouble is called by its name
		if states[part.Class] == 1 && part.Class != "up" {
			p.Head.Parts[i].Text = named[part.Class] + strings.TrimPrefix(part.Text, "1")
		}
	}
	if v.q.URL.Query().Get("all") == "" && len(p.Rows) > maxListed {
		p.Rest = len(p.Rows) - maxListed
		p.Rows = p.Rows[:maxListed]
	}
	return v.show(http.StatusOK, "sites", "Sites: "+p.Head.Text(), "/sites", p)
}

// siteRow is how a site stands. Open is the name of the one whose row is open.
func (p *picture) siteRow(is api.Site, site Site, reader *api.Reader, open string) siteRow {
	r := siteRow{Site: site, Of: api.SiteOf(is.Name), Class: "up", Word: "well", rank: 3, Events: is.Events, Reason: is.Reason, Fix: is.Fix, Cmds: api.Typed(is.Fix), Ways: is.Ways, Since: is.Since, Read: is.Read, Open: is.Name == open}
	r.Name = is.Name
	switch {
	case is.State == "stopped":
		r.Class, r.Word, r.rank = "stopped", "stopped", 0
	case is.State == "waiting":
		r.Class, r.Word, r.rank = "held", "waits", 1
	case is.State == "catching up":
		r.Class, r.Word, r.rank = "behind", "catching up", 2
	case is.Reason != "":
		r.Class, r.Word, r.rank = "needs", "set-up", 1
	}
	if !is.Since.IsZero() {
		r.Small = "since " + clock(is.Since, p.now)
	}
	switch {
	case !is.Read.IsZero():
		r.Behind = span(p.now.Sub(is.Read))
	case reader != nil && reader.CaughtUp:
		r.Behind = "0\u00a0s"
	case reader != nil:
		r.Behind = span(asTime(reader.Lag))
	}
	if stop := is.Stop; stop != nil {
		r.Stopped, r.Gone, r.Position, r.At = true, stop.Gone, stop.Position.String(), stop.Txn
		if !stop.Kept.Until.IsZero() {
			r.Kept = span(stop.Kept.Until.Sub(p.now))
		}
	}
	r.Open = r.Open || r.rank == 0 && open == ""
	if r.Toggle = rowAt("/sites", is.Name); r.Open {
		r.Toggle = address("/sites", is.Name, url.Values{"open": {"-"}})
	}
	return r
}

// logFigures are how the log is read, for all sites.
func (v *view) logFigures() []figure {
	all, _ := v.figures()
	list := []figure{{Name: "Server", Value: v.c.opts.Server}}
	if r := v.seen.status.Reader; r != nil && v.who.all() {
		list = append(list, figure{Name: "Position", Value: r.Position})
	}
	return append(list, all[0], all[len(all)-1])
}

// changeSite lets a stopped site go on.
func (c *Console) changeSite(v *view) error {
	name, do := v.q.PostFormValue("name"), v.q.PostFormValue("do")
	if !v.who.sees(name) || !slices.ContainsFunc(c.opts.Sites(), func(s Site) bool { return s.Name == api.SiteOf(name) }) {
		return v.message(http.StatusForbidden, "There is no such site", "")
	}
	if do != "resume" && do != "now" {
		return v.message(http.StatusUnprocessableEntity, "That cannot be done", "There is no such change.")
	}
	if do == "now" && v.q.PostFormValue("sure") != "1" {
		return v.showSites(name)
	}
	err := c.opts.Orders.ResumeSite(v.q.Context(), name, do == "now")
	c.log.Info("the console let a site go on", slog.String("user", v.who.name()), slog.String("site", name), slog.Bool("from_now", do == "now"), slog.Any("error", err))
	if err != nil {
		return v.message(http.StatusConflict, "That was not done", err.Error())
	}
	http.Redirect(v.w, v.q, address("/sites", "", url.Values{"done": {do}, "open": {name}}), http.StatusSeeOther)
	return nil
}
