package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rowhook/api"
	"rowhook/pipeline"
)

// TestTablesOfASite: tables of a site that are stopped by themselves have a row that says of which site they are, that opens by its link,
// whose buttons work, and that whoever may see the site sees.
func TestTablesOfASite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"salon", "spa"} {
		w.status.Sites = append(w.status.Sites, pipeline.SiteStatus{Name: name + "+my%20posts", State: pipeline.SiteStopped, Since: time.Now().Add(-time.Hour), Reason: "no primary key in " + name, Ways: []string{"way of " + name}, Stop: &pipeline.Stop{Site: name + "+my%20posts"}})
	}
	for user, sites := range map[string][]string{"": nil, "anna": {"salon"}} {
		b := w.login(user, sites...)
		front := b.get("/")
		front.shows(t, "Site salon+my%20posts")
		link := between(front.body, `href="/sites?open=`, `"`)
		b.get("/sites?open="+strings.SplitN(link, "#", 2)[0]).shows(t, "stopped since", "a table of salon that rules name, schema wp_salon, prefix wp_", "no primary key in salon", "way of salon")
		closed := b.get("/sites?open=salon")
		closed.hides(t, "way of salon")
		if toggle := between(between(closed.body, `<tr id="salon&#43;my%20posts">`, "</tr>"), `href="`, `"`); toggle != "/sites?open=salon%2Bmy%2520posts#salon&#43;my%2520posts" {
			t.Errorf("its row opens at %s", toggle)
		}
		done := b.post("/sites", url.Values{"name": {"salon+my%20posts"}, "do": {"resume"}})
		if done.status != http.StatusSeeOther || !strings.Contains(done.header.Get("Location"), "open=salon%2Bmy%2520posts") {
			t.Errorf("%q is told %d, %s: %s", user, done.status, done.header.Get("Location"), done.text())
		}
		b.post("/sites", url.Values{"name": {"salon+my%20posts"}, "do": {"now"}}).shows(t, "Go on from now, and leave it out")
	}
	b := w.login("anna", "salon")
	for _, page := range []string{"/", "/sites", "/sites?open=spa%2Bmy%2520posts"} {
		b.get(page).hides(t, "way of spa", "no primary key in spa")
	}
	for _, name := range []string{"spa+my%20posts", "none+my%20posts"} {
		if got := b.post("/sites", url.Values{"name": {name}, "do": {"resume"}}); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := w.given(); !slices.Equal(got, []string{"resume site salon+my%20posts false", "resume site salon+my%20posts false"}) {
		t.Errorf("it did %v", got)
	}
	w.login("").get("/sites").shows(t, "3 sites: 2 are stopped, 3 are well.")
}

// TestEveryKind: each kind of trouble has a look, and one that says what to type says it on the page.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/trouble.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []api.TroubleKind
	ast.Inspect(file, func(n ast.Node) bool {
		is, ok := n.(*ast.ValueSpec)
		if !ok || is.Type == nil {
			return true
		}
		if of, ok := is.Type.(*ast.Ident); ok && of.Name == "TroubleKind" {
			kind, err := strconv.Unquote(is.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, api.TroubleKind(kind))
		}
		return true
	})
	if len(kinds) < 13 {
		t.Fatalf("found only %v", kinds)
	}
	p := newPicture(session{}, seen{at: time.Now()}, nil)
	for _, kind := range kinds {
		shown := p.trouble(&api.Trouble{Kind: kind, What: "It", Endpoint: "https://a.example.com:443", Site: "salon", Since: time.Now(), Fix: []string{"type this"}})
		if shown.Class == "" {
			t.Errorf("%s has no look", kind)
		}
		passes := kind == api.EndpointDown || kind == api.ReaderBehind // by itself, and says so
		if !passes && len(shown.Cmds) == 0 && shown.Look == "" && shown.Act == nil {
			t.Errorf("%s does not say what to do", kind)
		}
	}
	w := newWorld(t)
	w.status.Machines = []api.Machine{{Name: "web1", Holds: true, Reads: true, SameRules: true}, {Name: "web2", Reads: true}}
	page := w.login("").get("/")
	page.shows(t, "Machine web2", "systemctl reload rowhook")
	page.hides(t, `href=""`)
}
