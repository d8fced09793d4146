package transfer_test

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"rowhook/outbox"
)

// faces is what the faces of a store show, as texts: whoever uses a copy must not see that it is one.
type faces map[string][]string

// look looks at all that a store shows. How old something is moves on while a store is open, and is told to the hour.
func look(t *testing.T, s outbox.Store) faces {
	t.Helper()
	f := faces{}
	res, err := s.Resume(t.Context())
	must(t, err)
	f["checkpoint"] = []string{fmt.Sprintf("%q", res.Checkpoint)}
	for _, r := range res.Open {
		f["records"] = append(f["records"], fmt.Sprintf("%s %q %q", r.Owner, r.Key, r.Data))
	}
	for after := int64(0); ; {
		list, err := s.List(t.Context(), outbox.Filter{After: after, Bodies: true, Limit: 500})
		must(t, err)
		if len(list) == 0 {
			break
		}
		for _, d := range list {
			f["list"] = append(f["list"], shown(d, false))
			if d.Last != nil {
				tried, err := s.Attempts(t.Context(), d.Seq)
				must(t, err)
				f["attempts"] = append(f["attempts"], fmt.Sprintf("%d %+v", d.Seq, tried))
			}
		}
		after = list[len(list)-1].Seq
	}
	due, err := s.Due(t.Context())
	must(t, err)
	for endpoint, is := range due {
		f["due"] = append(f["due"], fmt.Sprint(endpoint, is.Count, is.Bytes))
		f["oldest "+endpoint] = []string{is.Oldest.Round(time.Hour).String()}
		for after := int64(0); ; {
			list, err := s.Claim(t.Context(), endpoint, after, 300)
			must(t, err)
			if len(list) == 0 {
				break
			}
			for _, d := range list {
				f["claim "+endpoint] = append(f["claim "+endpoint], shown(d, true))
			}
			after = list[len(list)-1].Number
		}
	}
	slices.Sort(f["due"])
	counts, err := s.Counts(t.Context())
	must(t, err)
	slices.SortFunc(counts, func(a, b outbox.Count) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.State, b.State))
	})
	f["counts"] = []string{fmt.Sprintf("%+v", counts)}
	totals, err := s.Totals(t.Context())
	must(t, err)
	f["totals"] = []string{fmt.Sprintf("%+v", totals)}
	hours, err := s.Hours(t.Context(), "", time.Time{})
	must(t, err)
	f["hours"] = []string{fmt.Sprintf("%+v", hours)}
	for _, key := range []string{"source_id", "deliver_pauses", "long", "schema"} {
		value, err := s.Get(t.Context(), key)
		must(t, err)
		if key != "schema" { // the store's own
			f["settings"] = append(f["settings"], fmt.Sprintf("%s %q", key, value))
		}
	}
	return f
}

func shown(d *outbox.Stored, aged bool) string {
	last := outbox.Attempt{}
	if d.Last != nil {
		last = *d.Last
	}
	text := fmt.Sprintf("%d %s/%d %s %s %s %s %s %q %s %q %v %v %x %v %d %v %+v %v %v", d.Seq, d.Endpoint, d.Number, d.ID, d.Rule, d.Site, d.Action, d.Kind, d.Keys,
		d.Object, d.Omitted, d.AsOf, d.Created, sha256.Sum256(d.Body), d.State, d.Attempts, d.Due, last, d.Retried, d.Erased)
	if aged {
		text += fmt.Sprint(d.Age.Round(time.Hour), d.Failing.Round(time.Hour))
	}
	return text
}

// same compares two of them.
func same(t *testing.T, what string, got, want faces) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	for part, lines := range want {
		is := got[part]
		for i, line := range lines {
			if i >= len(is) || is[i] != line {
				shows := "nothing"
				if i < len(is) {
					shows = is[i]
				}
				t.Errorf("%s: %s, line %d of %d (%d): got\n%.900s\nwant\n%.900s", what, part, i, len(lines), len(is), shows, line)
				break
			}
		}
		if len(is) > len(lines) {
			t.Errorf("%s: %s has %d lines too many", what, part, len(is)-len(lines))
		}
	}
	for part := range got {
		if want[part] == nil {
			t.Errorf("%s: %s is shown", what, part)
		}
	}
}
