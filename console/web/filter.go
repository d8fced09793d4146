package web

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/outbox"
	"rowhook/words"
)

// query is what a person filters by, as it is written in the URL.
type query struct {
	State, Rule, Endpoint, Site, Entity, Key, Since, Until string

	Before int64 // the page: what is older than this
	Wrong  string
}

// stateNames are the states as a filter has them; one can be several.
var stateNames = map[string][]outbox.State{
	"waiting": {outbox.Fresh, outbox.Waiting}, "delivered": {outbox.Delivered}, "dead": {outbox.Dead}, "held": {outbox.Held},
}

var plainText = regexp.MustCompile(`^[^\x00-\x1f\x7f]{0,200}$`)

// readQuery reads a filter. What is wrong with it is said in Wrong; the filter is then of nothing.
func readQuery(form url.Values, now time.Time) (q query, f outbox.Filter) {
	q = query{
		State: form.Get("state"), Rule: form.Get("rule"), Endpoint: form.Get("endpoint"), Site: form.Get("site"), Entity: form.Get("entity"),
		Key: strings.TrimSpace(form.Get("key")), Since: strings.TrimSpace(form.Get("since")), Until: strings.TrimSpace(form.Get("until")),
	}
	for _, text := range []string{q.State, q.Rule, q.Endpoint, q.Site, q.Entity, q.Key, q.Since, q.Until} {
		if !plainText.MatchString(text) {
			q.Wrong = "A field is too long, or holds characters that no name has."
			return q, outbox.Filter{Sites: []string{noSite}}
		}
	}
	if q.Before, _ = strconv.ParseInt(form.Get("before"), 10, 64); q.Before < 0 {
		q.Before = 0
	}
	f.Before = q.Before
	f.Rules, f.Endpoints, f.Sites, f.Entity = one(q.Rule), one(q.Endpoint), one(q.Site), q.Entity
	if states, ok := stateNames[q.State]; ok {
		f.States = states
	} else if q.State != "" {
		q.Wrong = fmt.Sprintf("There is no state %q.", q.State)
	}
	if q.Key != "" {
		entity := q.Entity
		if entity == "" {
			entity = "appointment"
		}
		if f.Object = entity + "/" + q.Key; strings.Count(q.Key, "/") >= 2 {
			f.Key, f.Object = q.Key, ""
		}
		if f.Object != "" && q.Site != "" {
			f.Key, f.Object = q.Site+"/"+f.Object, ""
		}
		f.Entity = "" // the key says it, and rows of others may be about it, too
	}
	var ok bool
	if f.Since, ok = readTime(q.Since, now); !ok {
		q.Wrong = fmt.Sprintf("Since: %q is no time. Write 2h, 7d, 2026-11-28 or 2026-11-28 12:30.", q.Since)
	}
	if f.Until, ok = readTime(q.Until, now); !ok {
		q.Wrong = fmt.Sprintf("Until: %q is no time. Write 2h, 7d, 2026-11-28 or 2026-11-28 12:30.", q.Until)
	}
	if q.Wrong != "" {
		f.Sites = []string{noSite}
	}
	return q, f
}

func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// readTime reads a time: so long ago, or a date in UTC; zero when there is none.
func readTime(text string, now time.Time) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 10_000 {
			return now.AddDate(0, 0, -n), true
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// values is the filter as a URL has it, without the page.
func (q query) values() url.Values {
	v := url.Values{}
	for name, text := range map[string]string{
		"state": q.State, "rule": q.Rule, "endpoint": q.Endpoint, "site": q.Site, "entity": q.Entity, "key": q.Key, "since": q.Since, "until": q.Until,
	} {
		if text != "" {
			v.Set(name, text)
		}
	}
	return v
}

// URL is the address of the list, at a page of it.
func (q query) URL(before int64) string {
	v := q.values()
	if before > 0 {
		v.Set("before", strconv.FormatInt(before, 10))
	}
	if len(v) == 0 {
		return "/deliveries"
	}
	return "/deliveries?" + v.Encode()
}

// Fields are the filter as hidden fields of a form.
func (q query) Fields() (fields []field) {
	values := q.values()
	for name := range values {
		fields = append(fields, field{name, values.Get(name)})
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

var searched = regexp.MustCompile(`^(?:(?i)([a-z _]+?)\s*)?#?\s*([0-9]{1,18})$`)

// searchNames are what people write for entities.
var searchNames = map[string]string{
	"": "appointment", "booking": "appointment", "appointment": "appointment", "reservation": "appointment",
	"order": "package_order", "package": "package_order", "package order": "package_order", "package_order": "package_order",
	"customer": "customer", "employee": "employee", "service": "service", "coupon": "coupon",
}

// readSearch makes of what is typed into the search box an address: of one delivery, of all about an object, or of all to an
// endpoint, with a rule, of a site. False: it means nothing here.
func (v *view) readSearch(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == len(outbox.ID{}) {
		return "/deliveries/" + strings.ToLower(text), true
	}
	if m := searched.FindStringSubmatch(text); m != nil {
		if entity, ok := searchNames[strings.ToLower(strings.TrimSpace(m[1]))]; ok {
			return query{Entity: entity, Key: m[2]}.URL(0), true
		}
	}
	for _, s := range v.c.opts.Sites() {
		if s.Name == text && v.who.sees(text) {
			return query{Site: text}.URL(0), true
		}
	}
	for _, r := range v.rules {
		switch text {
		case r.Name:
			return query{Rule: text}.URL(0), true
		case r.Endpoint, words.Endpoint(r.Endpoint):
			return query{Endpoint: r.Endpoint}.URL(0), true
		}
	}
	if parts := strings.SplitN(text, "/", 3); len(parts) == 3 && plainText.MatchString(text) {
		return query{Site: parts[0], Entity: parts[1], Key: parts[2]}.URL(0), true
	}
	return "", false
}
