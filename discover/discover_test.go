package discover

import (
	"maps"
	"strings"
	"testing"

	"rowhook/config"
	"rowhook/dbtest"
)

func TestNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	listed := []config.Site{{Name: "salon", Schema: "wordpress", Prefix: "wp_", Root: "/var/www/html"}}
	for _, c := range []struct {
		why    string
		known  Names
		listed []config.Site
		places []Place
		want   string // of the sites, in order
	}{
		{"the schema's name", nil, nil, []Place{{"shop", "wp_"}, {"spa", "x_"}}, "shop spa"},
		{"several in a schema", nil, nil, []Place{{"shop", "wp_"}, {"shop", "wp_2_"}}, "shop_wp shop_wp_2"},
		{"one more comes: the first stays what it was", Names{{"shop", "wp_"}: "shop"}, nil, []Place{{"shop", "wp_"}, {"shop", "wp_2_"}}, "shop shop_wp_2"},
		{"one of two is gone: the other stays", Names{{"shop", "wp_"}: "shop_wp"}, nil, []Place{{"shop", "wp_"}}, "shop_wp"},
		{"what is listed stays as it is", nil, listed, []Place{{"wordpress", "wp_"}, {"spa", "wp_"}}, "salon spa"},
		{"and comes first, also when it has no tables", nil, listed, []Place{{"a", "wp_"}}, "salon a"},
		{"a listed name is taken", nil, listed, []Place{{"salon", "wp_"}}, "salon salon_65688ae2"},
		{"a person takes a found one's name", Names{{"salon", "wp_"}: "salon"}, listed, []Place{{"salon", "wp_"}}, "salon salon_65688ae2"},
		{"letters that a name has not", nil, nil, []Place{{"Kunde.Müller", "wp_"}, {"kunde-m-ller", "wp_"}}, "kunde-m-ller kunde-m-ller_"},
		{"long names", nil, nil, []Place{{long, "wp_"}, {long, "wp_2_"}}, long + " " + long[:55] + "_"},
	} {
		names := Names{}
		maps.Copy(names, c.known)
		var got []string
		seen := map[string]bool{}
		for _, s := range names.Sites(c.listed, c.places) {
			got = append(got, s.Name)
			if seen[s.Name] || len(s.Name) > longest {
				t.Errorf("%s: %q is no name of its own", c.why, s.Name)
			}
			seen[s.Name] = true
		}
		if said := strings.Join(got, " "); said != c.want && (!strings.HasSuffix(c.want, "_") || !strings.HasPrefix(said, c.want)) {
			t.Errorf("%s: %q, want %q", c.why, said, c.want)
		}
		again, err := ParseNames(names.Text())
		if err != nil || !maps.Equal(again, names) {
			t.Errorf("%s: stored and read it is %v, was %v: %v", c.why, again, names, err)
		}
		twice := again.Sites(c.listed, c.places)
		for i, s := range names.Sites(c.listed, c.places) {
			if twice[i].Name != s.Name {
				t.Errorf("%s: %q is %q when it is found again", c.why, s.Name, twice[i].Name)
			}
		}
	}
	if _, err := ParseNames("{"); err == nil {
		t.Error("what is no list is read")
	}
}

// TestFind: one question finds the sites of hundreds of schemas, and nothing else.
func TestFind(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	const schemas = 300
	for i := range schemas {
		name := "host" + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + "_" + string(rune('a'+i/26))
		server.Exec(t, "CREATE DATABASE `"+name+"`")
		server.Exec(t, "CREATE TABLE `"+name+"`.wp_vikappointments_reservation (id INT PRIMARY KEY) ENGINE=MyISAM")
	}
	server.Exec(t, "CREATE DATABASE `Zwei-Seiten`")
	for _, table := range []string{"wp_2_vikappointments_reservation", "wp_vikappointments_reservation", "vikappointments_reservation", "wp_vikappointments_reservations", "wpXvikappointmentsXreservation", "x-y_vikappointments_reservation", "wp_posts"} {
		server.Exec(t, "CREATE TABLE `Zwei-Seiten`.`"+table+"` (id INT PRIMARY KEY)")
	}
	server.Exec(t, "CREATE VIEW `Zwei-Seiten`.v_vikappointments_reservation AS SELECT 1 AS id")
	places, err := Find(t.Context(), server.DB(t, "mysql"))
	if err != nil {
		t.Fatal(err)
	}
	if len(places) != schemas+2 || places[0] != (Place{"Zwei-Seiten", "wp_"}) || places[1] != (Place{"Zwei-Seiten", "wp_2_"}) {
		t.Errorf("%d places, the first ones %v", len(places), places[:min(4, len(places))])
	}
}
