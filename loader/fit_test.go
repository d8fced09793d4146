package loader

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// TestMaxPayload makes payloads of a row from the log that is larger than they may be: the largest values are null, and
// named, until the rest fits; what counts is their size in JSON.
func TestMaxPayload(t *testing.T) {
	t.Parallel()
	const most = 100_000
	site := &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}
	columns := []string{"id", "status", "notes", "image", "log"}
	for _, c := range []struct {
		name              string
		notes, image, log string
		want              []string
	}{
		{"all fits", strings.Repeat("n", 40_000), strings.Repeat("i", 10_000), strings.Repeat("l", 40_000), nil},
		{"one is too large", strings.Repeat("n", most), "", "", []string{"notes"}},
		{"the largest of three", strings.Repeat("n", 40_000), strings.Repeat("i", 10_000), strings.Repeat("l", 50_000), []string{"log"}},
		{"two of three", strings.Repeat("n", 99_000), strings.Repeat("i", 60_000), strings.Repeat("l", 50_000), []string{"notes", "image"}},
		{"all", strings.Repeat("n", most), strings.Repeat("i", most), strings.Repeat("l", most), []string{"notes", "image", "log"}},
		{"of equal ones the last", strings.Repeat("n", 60_000), "", strings.Repeat("l", 60_000), []string{"log"}},
		{"escapes count", strings.Repeat("\x01", 20_000), "", strings.Repeat("l", 60_000), []string{"notes"}},
		{"base64 counts", strings.Repeat("n", 55_000), strings.Repeat("i", 45_000), "", []string{"image"}},
		{"no UTF-8 counts", strings.Repeat("\xff", 20_000), "", strings.Repeat("l", 60_000), []string{"notes"}},
		{"several bytes a character", strings.Repeat("é", 20_000), "", strings.Repeat("l", 61_000), []string{"log"}},
	} {
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "12")
		b.AddText(cdc.Text, "C")
		b.AddText(cdc.Text, c.notes)
		b.AddText(cdc.Binary, c.image)
		b.AddText(cdc.Text, c.log)
		for _, action := range []string{"appointment.save", "customer.save", "appointment.status_change"} {
			a, err := rules.ParseAction(action)
			if err != nil {
				t.Fatal(err)
			}
			ev := &rules.Event{
				Site: site, Action: a, IDs: []rules.Key{"12"}, Insert: true, Status: "C",
				Table: schema.NewTable(site.Table("t"), columns, []int{0}), Row: b.Row(),
				Rules: []*rules.Rule{{Load: rules.Basic}, {Load: rules.Full}},
			}
			if a.Kind == rules.StatusChange {
				ev.Rules = ev.Rules[:1]
			}
			l := &Loader{maker: newMaker(Options{MaxPayload: most}, slog.New(slog.DiscardHandler))}
			got, ok := l.Immediate(ev)
			if a.Entity.Name == "customer" { // whose payload needs settings
				got, ok = l.Shown(ev), true
			}
			if !ok {
				t.Fatalf("%s, %s: not made at once", c.name, action)
			}
			for i, p := range got {
				checkFitted(t, fmt.Sprintf("%s, %s, rule %d", c.name, action, i), p, most, c.want)
			}
		}
	}
}

// checkFitted looks whether a payload leaves out what it should, and nothing else.
func checkFitted(t *testing.T, what string, p Payload, most int, want []string) {
	t.Helper()
	var shown map[string]any
	if err := json.Unmarshal(p.Body, &shown); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(p.Body) > most || !slices.Equal(p.Omitted, want) {
		t.Errorf("%s: %d bytes, without %v, want without %v", what, len(p.Body), p.Omitted, want)
	}
	for _, column := range []string{"id", "status", "notes", "image", "log"} {
		if v, ok := shown[column]; !ok || (v == nil) != slices.Contains(want, column) {
			t.Errorf("%s: %s is %.20v, %t", what, column, v, ok)
		}
	}
}

// TestFit reads the smallest texts of all.
func TestFit(t *testing.T) {
	t.Parallel()
	text := func(id int64, column string, size int) sized {
		return sized{cell{key: rules.NumberKey(id), column: column}, size}
	}
	for _, c := range []struct {
		name string
		left []sized
		want string
	}{
		{"none", nil, ""},
		{"one that fits", []sized{text(1, "a", 100)}, "1a"},
		{"one that does not", []sized{text(1, "a", 101)}, ""},
		{"the smallest", []sized{text(1, "a", 60), text(1, "b", 50), text(2, "a", 40)}, "1b 2a"},
		{"of equal ones the first", []sized{text(1, "a", 60), text(1, "b", 60)}, "1a"},
	} {
		kept := fit(c.left, 100)
		var got []string
		for _, l := range c.left {
			if kept[l.cell] {
				got = append(got, fmt.Sprint(l.key, l.column))
			}
		}
		if strings.ReplaceAll(strings.Join(got, " "), " ", "") != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s: kept %v, want %s", c.name, got, c.want)
		}
	}
}
