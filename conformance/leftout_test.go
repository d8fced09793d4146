package conformance

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What is left out of the comparison, each with its reason; nothing else is. A rule recognises its situation from what was
// sent, written and logged, so that it holds for a salon that nobody has seen. Each says how much it may leave out: more
// is a fault of the rule, or of rowhook. Some of what might be left out needs no rule, for it makes no difference:
// statements typed by hand, and requests that were lost because a delete crashed the plugin.

// eventRule leaves out whole requests of a record.
type eventRule struct {
	name, reason string
	most         float64 // of the documented requests
}

var (
	addedWebhook  = eventRule{"webhook of a case", "the cases themselves added the webhook; the rules were imported before", 0.05}
	unseen        = eventRule{"no row event", "the save changed no row, so the log shows nothing of it", 0.05}
	missingRow    = eventRule{"missing row", "full posts null for a row that is not there; the log shows nothing of it either", 0.01}
	exception     = eventRule{"exception", "the body is the plugin's own exception; rowhook sends the row instead", 0.02}
	brokenDeletes = eventRule{"delete", "the plugin's own merging loses ids; what the statement removed is wanted instead", 0.02}
)

var eventRules = []eventRule{addedWebhook, unseen, missingRow, exception, brokenDeletes}

// place is where a payload that arrived differs from the plugin's.
type place struct {
	difference
	of           want
	appointments int // of the order
	c            *testCase
	changes      []*change
}

// placeRule leaves out places of one kind.
type placeRule struct {
	name, reason string
	load         string
	most         float64 // of the load's payloads that may have such a place
	covers       func(p *place) bool
	// outside: what needs it is not in testdata, but in the whole records, or among the requests that they do not show.
	outside bool
}

var placeRules = []placeRule{
	{
		name: "locked_until", load: "full", most: 1,
		reason: "the plugin shows the time of sending plus keepapplock there, not the row's value",
		covers: func(p *place) bool {
			return p.path == "locked_until" && strings.Contains(p.of.hook.Action, "Reservation") && isWhole.MatchString(p.want)
		},
	},
	{
		name: "history[].comment", load: "extended", most: 0.1, outside: true,
		reason: "the plugin shows the language's text or the key of it, as the page has loaded the language's file or not",
		covers: func(p *place) bool {
			return indexes.ReplaceAllString(p.path, "[]") == "history[].comment" && languageKey.MatchString(p.want) != languageKey.MatchString(p.got)
		},
	},
	{
		name: "float", load: "basic", most: 0.2,
		reason: "the plugin shows the number as PHP computed it; the statement has it with 14 digits, as PHP makes texts of numbers",
		covers: func(p *place) bool { return samePHPText(p.want, p.got) },
	},
	{
		name: "array in a column", load: "basic", most: 0.1,
		reason: "the plugin keeps an array that it could not store; no statement has it",
		covers: func(p *place) bool {
			return topLevel(p.path) && (strings.HasPrefix(p.want, "[") || strings.HasPrefix(p.want, "{")) && (p.got == "" || p.got == `""`)
		},
	},
	{
		name: "save without a row event", load: "basic", most: 0.02,
		reason: "the plugin merges two saves, of which the first changed no row: the log does not have its columns",
		covers: func(p *place) bool { return topLevel(p.path) && p.got == "" && p.namedInVain(p.path) },
	},
	{
		name: "totals of a cached order", load: "extended", most: 0.03,
		reason: "PHP's mails subtract from the totals of the order object, which it keeps and sends: they are numbers then, not the row's texts",
		covers: func(p *place) bool {
			return strings.HasPrefix(p.path, "totals.") && p.appointments > 1 && isNumber(p.want) && isText(p.got) && less(p.want, p.got)
		},
	},
	{
		name: "appointments[].canUserCancel", load: "extended", most: 0.03, outside: true,
		reason: "the order page adds it to the order object, which PHP keeps and sends",
		covers: func(p *place) bool {
			return indexes.ReplaceAllString(p.path, "[]") == "appointments[].canUserCancel" && (p.want == "true" || p.want == "false") && p.got == ""
		},
	},
}

// ruleOf is the rule that leaves out a place, nil when there is none.
func ruleOf(p *place) *placeRule {
	for i := range placeRules {
		if r := &placeRules[i]; r.load == p.of.hook.Load && r.covers(p) {
			return r
		}
	}
	return nil
}

// languageKey is the name of a text in the plugin's language files.
var languageKey = regexp.MustCompile(`^"VAP_[A-Z_]+"$`)

var isWhole = regexp.MustCompile(`^\d+$`)

func topLevel(path string) bool { return !strings.ContainsAny(path, ".[") }
func isText(json string) bool   { return strings.HasPrefix(json, `"`) }
func isNumber(json string) bool { return number.MatchString(json) }

// samePHPText says whether two JSON numbers are one when PHP makes a text of them, with its setting precision at 14.
func samePHPText(want, got string) bool {
	w, wantErr := strconv.ParseFloat(want, 64)
	g, gotErr := strconv.ParseFloat(strings.Trim(got, `"`), 64)
	return wantErr == nil && gotErr == nil && strconv.FormatFloat(w, 'g', 14, 64) == strconv.FormatFloat(g, 'g', 14, 64)
}

// less says whether a number in JSON is less than another, which may be in a text.
func less(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, also := new(big.Rat).SetString(strings.Trim(b, `"`))
	return ok && also && x.Cmp(y) < 0
}

// namedInVain says whether a statement of the case saved the payload's object, named the column, and changed no row.
func (p *place) namedInVain(column string) bool {
	table, _ := p.of.hook.table()
	return slices.ContainsFunc(p.c.SQL, func(s statement) bool {
		m := modelSave.FindStringSubmatch(s.SQL)
		return m != nil && m[1] == table && strings.HasSuffix(s.SQL, " WHERE `id` = '"+p.of.subject+"'") && strings.Contains(s.SQL, "`"+column+"` = ") &&
			!slices.ContainsFunc(p.changes, func(c *change) bool { return c.statement == s.SQL })
	})
}

// isException says whether a body is the plugin's own exception.
func isException(body any) bool {
	object, ok := body.(map[string]any)
	return ok && object["trace"] != nil && object["message"] != nil && object["code"] != nil
}

// expectation is what must arrive for a case, and what may.
type expectation struct {
	wants   []want
	allowed map[string]bool // keys of events that are neither wanted nor extra
	asked   int             // documented requests that the plugin sent
	left    map[eventRule]int
	unseen  []want // what the plugin sent though the log has no row event
}

// expect makes a case's expectation from what the plugin sent, and from its rules where that was not kept: predicted.
func expect(t *testing.T, c *testCase, hooks map[int]hook, changes []*change, predicted []want) *expectation {
	t.Helper()
	e := &expectation{allowed: map[string]bool{}, left: map[eventRule]int{}}
	for _, w := range predicted {
		switch {
		case w.exception:
			e.allow(w.key())
		case c.Requests == nil || w.hook.isDelete():
			e.wants = append(e.wants, w)
		}
	}
	for _, q := range c.Requests {
		if !q.Documented {
			continue
		}
		e.asked++
		h, imported := hooks[q.Webhook]
		body, err := parse(q.Body)
		if err != nil {
			t.Fatalf("case %s: %v", c.Number, err)
		}
		subject := h.subject(body)
		switch {
		case !imported:
			e.left[addedWebhook]++
		case h.isDelete():
			e.left[brokenDeletes]++
		case isException(body):
			e.left[exception]++
		case body == nil:
			e.left[missingRow]++
		case !visible(h, subject, changes):
			e.left[unseen]++
			e.unseen = append(e.unseen, want{webhook: q.Webhook, hook: h, subject: subject, body: body})
		default:
			e.wants = append(e.wants, want{webhook: q.Webhook, hook: h, subject: subject, body: body, secure: q.Secure})
		}
	}
	return e
}

func (e *expectation) allow(key string) { e.allowed[key] = true }

// TestPlaceRules shows each rule a place that is its own, and its neighbours, which are faults.
func TestPlaceRules(t *testing.T) {
	t.Parallel()
	save := func(load string) want {
		return want{hook: hook{Action: "onAfterSaveReservation", Load: load}, subject: "7"}
	}
	named := &testCase{SQL: []statement{{1, "UPDATE `wp_vikappointments_reservation` SET `people` = '2' WHERE `id` = '7'"}}}
	for _, test := range []struct {
		rule, path, want, got string
		of                    want
		appointments          int
	}{
		{"locked_until", "locked_until", "1795916376", "1577836800", save("full"), 0},
		{"", "locked_until", "", "1577836800", save("full"), 0},
		{"", "locked_until", "1795916376", `"1577836800"`, save("basic"), 0},
		{"history[].comment", "history[12].comment", `"VAP_X"`, `"Changed."`, save("extended"), 0},
		{"history[].comment", "history[0].comment", `"Changed."`, `"VAP_X"`, save("extended"), 0},
		{"", "history[12].comment", `"VAP_X"`, `"VAP_Y"`, save("extended"), 0},
		{"", "history[12].comment", `"Mine."`, `"Changed."`, save("extended"), 0},
		{"", "history[12].status", `"C"`, `"P"`, save("extended"), 0},
		{"float", "total_cost", "174.20000000000002", "174.2", save("basic"), 0},
		{"float", "discount", "0.28000000000000114", `"0.28"`, save("basic"), 0},
		{"", "total_cost", "174.21", "174.2", save("basic"), 0},
		{"", "total_cost", "174.2000000001", "174.2", save("basic"), 0},
		{"", "totals.due", "174.20000000000002", "174.2", save("extended"), 0},
		{"array in a column", "tax_breakdown", "[]", "", save("basic"), 0},
		{"array in a column", "tax_breakdown", `[{"tax":1}]`, `""`, save("basic"), 0},
		{"", "tax_breakdown", `[{"tax":1}]`, `"[{\"tax\":2}]"`, save("basic"), 0},
		{"", "tax_breakdown", `"x"`, "", save("basic"), 0},
		{"save without a row event", "people", "2", "", save("basic"), 0},
		{"", "sleep", "2", "", save("basic"), 0},
		{"totals of a cached order", "totals.net", "10.62", `"163.53"`, save("extended"), 2},
		{"", "totals.net", "10.62", `"163.53"`, save("extended"), 1},
		{"", "totals.net", "200", `"163.53"`, save("extended"), 2},
		{"", "totals.net", `"10.62"`, `"163.53"`, save("extended"), 2},
		{"appointments[].canUserCancel", "appointments[0].canUserCancel", "true", "", save("extended"), 1},
		{"", "appointments[0].canUserCancel", "", "true", save("extended"), 1},
	} {
		p := &place{difference: difference{test.path, test.want, test.got}, of: test.of, appointments: test.appointments, c: named}
		name := ""
		if r := ruleOf(p); r != nil {
			name = r.name
		}
		if name != test.rule {
			t.Errorf("%s %s: left out by %q, want %q", test.of.hook.Load, p, name, test.rule)
		}
	}
}
