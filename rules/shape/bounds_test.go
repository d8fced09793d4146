package shape

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
)

// TestEveryFunctionIsBounded: a function that a newer version of the library brings is refused until somebody bounded it.
func TestEveryFunctionIsBounded(t *testing.T) {
	t.Parallel()
	for _, name := range builtin.Names {
		_, metered := builtins[name]
		_, refused := unbounded[name]
		if n := slices.Index([]bool{metered, refused, slices.Contains(loops, name)}, true); n < 0 {
			t.Errorf("%s is not bounded", name)
		}
	}
}

// huge are values such as somebody sends who wants to do harm: of so many bytes each.
func huge(size int) *Values {
	// Texts whose sums are those of others: each block looks like the other one, and is not.
	morse := []byte("a")
	for len(morse) < 2048 {
		for _, c := range slices.Clip(morse) {
			morse = append(morse, 'a'+'b'-c)
		}
	}
	mirrored := strings.NewReplacer("a", "b", "b", "a").Replace(string(morse))
	blocks := strings.Repeat(string(morse), size/len(morse))
	few := make([]any, 1000)
	for i := range few {
		few[i] = map[string]any{"n": i, "text": fmt.Sprint("option ", i)}
	}
	many := make([]any, size/20)
	for i := range many {
		many[i] = i
	}
	texts := make([]any, size/64)
	for i := range texts {
		texts[i] = strings.Repeat("x", 60) + fmt.Sprint(i%7)
	}
	deepest := any("x")
	for range min(size/4, 5000) {
		deepest = []any{deepest, 1}
	}
	return &Values{
		Before: map[string]any{"notes": strings.Repeat("a", size-1) + "b", "id": 7},
		After: map[string]any{
			"notes": strings.Repeat("a", size), "id": 7, "bad": strings.Repeat("\xff\x01\"<", size/4), "blocks": blocks, "block": blocks[:size/2-2048] + mirrored,
			"lists": strings.Repeat("[", 5000) + strings.Repeat("0,", size/2-5000) + "0" + strings.Repeat("]", 5000), "objects": "[" + strings.Repeat(`{"":0},`, size/7) + "0]", "bits": strings.Repeat("a,", size/2),
			"wide": strings.Repeat("\u0250", size/2),
		},
		Event:   map[string]any{"action": "appointment.save", "type": "update", "status": "", "key": "7", "time": "", "seconds": 1, "changed": []string{"notes"}},
		Site:    "salon",
		Payload: map[string]any{"few": few, "many": many, "texts": texts, "deep": deepest, "notes": strings.Repeat("a", size), "n": 5},
	}
}

// doubled is an expression whose variables each are made of the one before twice.
func doubled(first, next string, times int, last string) string {
	var b strings.Builder
	name := func(i int) string { return fmt.Sprint("v", i) }
	fmt.Fprintf(&b, "let v0 = %s; ", first)
	for i := range times {
		fmt.Fprintf(&b, "let %s = %s; ", name(i+1), strings.ReplaceAll(next, "$", name(i)))
	}
	return b.String() + strings.ReplaceAll(last, "$", name(times))
}

// costly are expressions that would take very long, or very much memory, with huge values.
func costly() []string {
	all := []string{
		doubled("after.notes", "$ + $", 30, "$"), doubled("'abcdefgh'", "$ + $", 40, "$ == 'a'"), doubled("[after.notes]", "[$, $]", 60, "toJSON($)"),
		doubled("[1, 2]", "[$, $]", 60, "$"), doubled("[1, 2]", "[$, $]", 60, "string($)"), doubled("[1, 2]", "[$, $]", 60, "flatten($)"), doubled("[1, 2]", "[$, $]", 60, "max($)"),
		doubled("[after.id]", "[$, $]", 60, "let o = $; $ == [o[0], o[1]]"), doubled("[after.id]", "[$, $]", 60, "[1] in $"), doubled("[after.id]", "[$, $]", 60, "$[0] in $"),
		doubled("[after.id]", "concat($, $)", 40, "len($)"), doubled("[after.id]", "concat($, $, $, $)", 40, "count($)"), doubled("[1, 2]", "[$, $]", 60, "uniq($)"),
		doubled("[after.id]", "[$, $]", 60, "payload[$]"), doubled("[after.id]", "[$, $]", 60, "payload.n[$:2]"), doubled("[after.id]", "[$, $]", 60, "int(true ? $ : payload.n)"), doubled("[after.id]", "[$, $]", 60, "fromPairs([$])"),
		doubled("[after.id]", "[$, $]", 60, "sort([$, $])"), doubled("[after.id]", "[$, $]", 60, "after.id == 1 ? 1 : $"), doubled("[after.id]", "{'a': $, 'b': $}", 60, "$"),
		doubled("after.notes", "toBase64($)", 20, "$"), doubled("after.bad", "toJSON($)", 20, "$"), doubled("after.bad", "upper($)", 20, "$"), doubled("after.notes", "join([$, $])", 30, "$"),
		"upper(after.wide)", "lower(after.bad)", "replace(after.notes, '', after.notes)", "replace(after.notes, 'a', after.notes)", "join(split(after.notes, ''), after.notes)",
		"split(after.notes, '')", "split(after.notes, 'b', 1000000000)", "splitAfter(after.bits, ',')", "len(split(after.bits, ',')) > 1", "replace(after.bits, ',', ' and ')",
		"trim(after.notes, after.wide)", "trim(after.wide, after.wide)", "after.blocks contains after.block", "indexOf(after.blocks, after.block)", "lastIndexOf(after.blocks, after.block)",
		"fromJSON(after.lists)", "fromJSON(after.objects)", "flatten(fromJSON(after.lists))", "toJSON(payload)", "toJSON(after)", "toJSON(payload.deep)", "string(payload)", "string(after)",
		"int(after.notes)", "float(after.notes)", "date(after.notes)", "duration(after.notes)", "timezone(after.notes)", "date('2026-01-01').Format(after.notes)", "date('2026-01-01', after.notes)",
		"sort(payload.texts)", "sortBy(payload.texts, #)", "sortBy(payload.many, -#)", "sortBy(payload.many, before.notes)", "uniq(payload.many)", "uniq(payload.texts)", "median(payload.many)", "groupBy(payload.few, before.notes)",
		"groupBy(payload.many, #)", "payload[after.notes]", "get(payload, after.notes)", "{(after.notes): 1}", "after.notes in payload", "after.notes in payload.texts", "payload.n[after.notes:]",
		"all(payload.many, any(payload.many, # < 0) == false)", `any(payload.many, "zz" in payload.many)`, "any(payload.many, -1 in payload.many)", "all(payload.few, all(payload.few, all(payload.few, true)))", "map(payload.many, map(payload.many, #))", "sum(map(payload.many, sum(payload.many)))",
		"count(payload.many, len(after.notes) > 1)", "all(payload.many, before.notes != after.notes)", "all(payload.many, before.notes < after.notes or before.notes > after.notes)", "map(payload.many, {{}})",
		"map(payload.many, {{'a': {}, 'b': {}, 'c': {}, 'd': {}}})", "map(payload.many, [[], [], [], [], [], [], [], []])", "map(payload.many, after.notes + string(#))", "map(payload.few, split(after.notes, 'b'))",
		"map(payload.many, date('2026-01-01', '2006-01-02', 'Europe/Berlin'))", "map(payload.many, date('2026-01-01').Format('2006'))", "map(payload.many, payload.few)", "map(payload.few, payload.notes)",
		"findLast(payload.many, after.notes endsWith before.notes)", "payload", "after", "[payload, payload, payload, payload, payload, payload, payload, payload]",
		"all(payload.many, " + strings.TrimSuffix(strings.Repeat("# + ", 200), "+ ") + " > -1)",
	}
	for _, pattern := range []string{"a(a?b?){200}c", strings.Repeat("a", 900) + "(a?){100}c", "b(,|a)*c", "(?i)vip", "a.*b.*c", "(a|b|ab)*c", "(.*)(.*)(.*)(.*)z", "(a?b?){200}c", "(a{0,50}){0,5}b", "(a?){100}c", `(\\pL?){100}x`} {
		all = append(all, "after.notes matches '"+pattern+"'", "after.bits matches '"+pattern+"'")
	}
	return all
}

// costlyDocuments are the same for texts of one's own.
func costlyDocuments() []string {
	return []string{
		"{{range .payload.many}}{{range $.payload.many}}{{end}}{{end}}", "{{range .payload.few}}{{range $.payload.few}}{{range $.payload.few}}{{end}}{{end}}{{end}}",
		"{{range .payload.few}}{{range $.payload.few}}{{if eq $.before.notes $.after.notes}}x{{end}}{{end}}{{end}}", "{{range .payload.many}}{{range $.payload.few}}x{{end}}{{end}}",
		"{{range .payload.few}}{{range $.payload}}{{range $.after}}{{end}}{{end}}{{end}}", strings.Repeat("{{if eq .before.notes .after.notes}}x{{end}}", 1000),
		strings.Repeat("{{if lt .before.notes .after.notes}}x{{end}}", 1000), strings.Repeat("{{if index .payload .after.notes}}x{{end}}", 1000), strings.Repeat("{{len (js .after.bad)}}", 1000),
		"{{$a := .after.notes}}" + strings.Repeat("{{$a = print $a $a}}", 40), "{{$a := .after.bad}}" + strings.Repeat("{{$a = js $a}}", 40), "{{$a := .after.bad}}" + strings.Repeat("{{$a = urlquery $a}}", 40),
		"{{$a := .after.bad}}" + strings.Repeat("{{$a = xml $a}}", 40), "{{$a := .after.bad}}" + strings.Repeat("{{$a = json $a}}", 40), "{{$a := .after.bad}}" + strings.Repeat("{{$a = printf \"%q%q\" $a $a}}", 40),
		`{{printf "` + strings.Repeat("%[1]s", 5000) + `" .after.notes}}`, `{{printf "` + strings.Repeat("%999[1]s", 5000) + `" .after.id}}`, `{{printf "%v" .payload}}`, `{{printf "%.999f" .after.id}}`, `{{printf "%+q" .after.bad}}`, `{{printf "% #x" .after.bad}}`,
		"{{json .}}", "{{print .}}", "{{.}}", "{{$}}", "{{.payload}}", "{{js .payload}}", "{{date .after.notes .after.notes}}", `{{date "2006" .after.notes}}`, "{{.after.notes}}", strings.Repeat("{{.after.notes}}", 300),
		"{{range .payload.many}}{{$.after.notes}}{{end}}", "{{range .payload.many}}{{json $.payload}}{{end}}", "{{range .payload.many}}" + strings.Repeat("x", 60_000) + "{{end}}", "{{range .after.notes}}{{end}}", "{{index .payload.many .after.notes}}",
		"{{range .payload.many}}{{slice $.after.notes 1}}{{end}}", strings.Repeat("{{len .after.wide}}", 1000), "{{$a := .after.wide}}" + strings.Repeat("{{$a = slice $a 0}}", 1000), "{{html .after.bad}}{{urlquery .after.bad}}", "{{range .payload.many}}{{println .}}{{end}}", "{{range $i, $x := .payload.many}}{{and $i $x}}{{or $i $x}}{{not $x}}{{end}}",
	}
}

// used is what f takes: the processor's time, and all bytes that it makes, whether they are collected on the way or not.
func used(f func()) (took time.Duration, made uint64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var from, to syscall.Rusage
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_ = syscall.Getrusage(1 /* RUSAGE_THREAD */, &from)
	f()
	_ = syscall.Getrusage(1, &to)
	runtime.ReadMemStats(&after)
	return time.Duration(to.Utime.Nano() - from.Utime.Nano()), after.TotalAlloc - before.TotalAlloc
}

// TestBounds: no expression and no text that is taken can use more than a second or much memory, whatever values it is given; and what
// it says then is short.
func TestBounds(t *testing.T) { // alone: it looks at what the whole process makes
	for _, size := range slices.Compact([]int{64 << 10, largest}) {
		v := huge(size)
		check := func(what string, body func(*Values) ([]byte, error)) {
			var text []byte
			var err error
			took, made := used(func() { text, err = body(v) })
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("%.80s: the error has %d bytes: %.100s", what, len(err.Error()), err.Error())
			}
			if took > time.Second*slowdown || made > 128<<20 || len(text) > mostBody {
				t.Errorf("%.80s\n with %d KiB: %v, %d MiB; made %d bytes, %.100v", what, size>>10, took, made>>20, len(text), err)
			}
			if testing.Verbose() {
				t.Logf("%6d KiB %8v %4d MiB  %.60s  %.100v", size>>10, took.Round(time.Millisecond), made>>20, what, err)
			}
		}
		for _, text := range costly() {
			e, err := Value(text, nil, nil)
			if err != nil {
				if size == 64<<10 {
					t.Errorf("%.80s: %v", text, err)
				}
				continue
			}
			check(text, (&Template{root: part{value: e}}).Body)
		}
		for _, text := range costlyDocuments() {
			d, err := NewDocument(text, "text/plain", nil)
			if err != nil {
				t.Errorf("%.80s: %v", text, err)
				continue
			}
			check(text, d.Body)
		}
	}
}

// FuzzBounds looks for an expression that TestBounds does not know.
func FuzzBounds(f *testing.F) {
	for _, text := range costly() {
		f.Add(text)
	}
	v := huge(64 << 10)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Value(text, nil, nil)
		if err != nil {
			return
		}
		took, _ := used(func() { _, err = (&Template{root: part{value: e}}).Body(v) })
		if took > 4*time.Second*slowdown { // the fuzzer counts what is run, which takes time
			t.Errorf("%v, %v", took, err)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
	})
}

// TestMetered: within its bounds an operator or a function does what it does in the library.
func TestMetered(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, text := range []string{
		`after.purchaser_mail + "x" + after.status`, "after.id + after.id", "after.total_cost + after.id", "after.id + 1.5", "before.status == after.status", "before.status != after.status", "after.id == after.total_cost", "after.payment == before.status",
		"payload.options == payload.options", "[after.id] == [7]", "before == nil", "after.id < after.total_cost", "after.status <= before.status", "after.status > before.status", "after.id >= after.id", "after.status in event.changed",
		`after.status in [before.status, after.status]`, `after.id in [before.checkin_ts, after.id]`, `"id" in payload`, "after.status not in event.changed", "[after.id] in [[7]]", "after.payment in event.changed",
		`after.purchaser_mail contains after.status`, `after.purchaser_mail contains "@b"`, "after.purchaser_mail startsWith before.status", "after.purchaser_mail endsWith lower(after.status)", "after.payment contains after.status",
		`after.purchaser_mail matches "^[a-z]@"`, `after.payment matches "x"`, `after.status not matches "C"`,
		"len(after.status)", "len(payload.options)", "type(after.id)", "type(after.payment)", "abs(-after.id)", "ceil(after.total_cost)", "floor(after.total_cost)", "round(after.total_cost)", `int("12")`, "int(after.total_cost)", `float("1.5")`, "string(after.id)",
		"string(after.total_cost)", "string(payload.options)", "string(after.payment)", `trim("  a ")`, `trim("xxaxx", "x")`, `trimPrefix(after.purchaser_mail, "a")`, `trimSuffix(after.purchaser_mail, "example")`, `hasPrefix(after.status, "C")`, `hasSuffix(after.status, "C")`,
		`indexOf(after.purchaser_mail, "@")`, `lastIndexOf(after.purchaser_mail, ".")`, "upper(after.purchaser_mail)", "lower(after.status)", `split("a,b,c", ",")`, `split("a,b,c", ",", 2)`, `split("a,b,c", ",", 0)`, `split("a,b,c", ",", 99)`, `splitAfter("a,b", ",")`, `split("abc", "")`,
		`replace("a-b-c", "-", "+")`, `replace("a-b-c", "-", "+", 1)`, `replace("abc", "", "-")`, `replace("abc", "", "-", 2)`, `join(event.changed, ",")`, `join(["a", after.status])`, `fromJSON("{\"a\": [1.5, \"x\", null]}")`, `toBase64("abc")`, `fromBase64("YWJj")`,
		`date("2026-01-02")`, `date("2026-01-02 10:00", "2006-01-02 15:04")`, `date("2026-01-02 10:00", "2006-01-02 15:04", "Europe/Berlin")`, `date("2026-01-02").Format("02.01.2006")`, `date("2026-01-02").AddDate(0, 1, 2).Unix()`, `date("2026-01-02") < date("2026-01-03")`,
		`date("2026-01-03") - date("2026-01-02") == duration("24h")`, `duration("90m").Hours()`, `date("2026-01-02").In(timezone("Europe/Rome")).Hour()`, `get(after, "status")`, `get(event.changed, 0)`, `get(event.changed, 9)`, "first(event.changed)", "last(event.changed)", "take(event.changed, 1)",
		"max(after.id, after.total_cost)", "max([1, 5, after.id])", "min(3, after.id)", "min([4, [2, after.id]])", "mean([1, 2, after.id])", "median([1, after.id, 3])", "median([1, after.id, 3, [9]])", "reverse(event.changed)", "concat([1], [after.id], event.changed)", "flatten([1, [after.id, [3]]])",
		"sort([3, after.id, 1])", `sort([3, after.id, 1], "desc")`, "uniq([1, after.id, 1])", `fromPairs([["a", after.id]])`, "bitand(after.id, 3)", "bitor(after.id, 8)", "bitxor(after.id, 1)", "bitnand(after.id, 1)", "bitshl(after.id, 2)", "bitshr(after.id, 1)", "bitushr(after.id, 1)", "bitnot(after.id)",
		`all(event.changed, # != "")`, `none(event.changed, # == "x")`, "any(payload.options, .id_option == after.status)", `one(event.changed, # == "status")`, `filter(event.changed, # contains "cost")`, "map(event.changed, upper(#))", "map(payload.options, .id_option)", `find(event.changed, # startsWith "t")`,
		`findIndex(event.changed, # == "total_cost")`, "findLast([1, 2, 3], # < after.id)", "findLastIndex([1, 2, 3], # < after.id)", "count([1, after.id], # > 3)", "count([true, after.id == 7])", "sum([1, after.id])", "sum([1, after.id], # * 2)", "groupBy([1, 2, after.id], # % 2)", `sortBy([3, after.id, 1], -#)`,
		`sortBy(event.changed, #, "desc")`, "payload.options[0].id_option", "payload.options[after.id - 7]", `after["sta" + "tus"]`, `after[lower(upper("status"))]`, "event.changed[after.id - 7:]", "after.purchaser_mail[:after.id]", `{"a": after.id, (after.status): 2}`, `event.changed | map(upper(#)) | join("-")`,
		`let a = after.id; a + a`, "after.id > 5 ? after.status : before.status", "after.payment ?? after.status", "payload.options[0]?.none?.more", "any(payload.options, any(event.changed, # == after.status))", "-after.id + 2 ** 3 - after.id % 5", `filter(map(event.changed, #), # != "")`, "all(event.changed, # != '') and all(event.changed, len(#) > 1)",
	} {
		e, err := Value(text, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		program, err := expr.Compile(text)
		if err != nil {
			t.Fatal(text, err)
		}
		want, err := expr.Run(program, bookings().named())
		if err != nil {
			t.Fatal(text, err)
		}
		if got, err := valueOf(e, bookings()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %#v, %v\nwant %#v", text, got, err, want)
		}
		for name := range builtins {
			if strings.Contains(text, name+"(") {
				tried[name] = true
			}
		}
	}
	tried["toJSON"] = true // which is not indented here, as no payload is
	for name := range builtins {
		if !tried[name] {
			t.Errorf("%s was not tried", name)
		}
	}
}

// TestPagesAreSearched: a pattern that begins with letters costs a long text one search, up to where they are.
func TestPagesAreSearched(t *testing.T) {
	t.Parallel()
	const pattern = `'\\[(vikappointments|vikrestaurants|vikbooking)_[a-z]+ id="\\d+"\\]'`
	page := strings.Repeat("<p>Lorem ipsum dolor sit amet</p>\n", 4<<20/35)
	for text, want := range map[string]bool{page: false, page + "[vikbooking_form id=\"7\"]": true, page + "[vikbooking_form]": false} {
		e, err := Condition("after.notes matches "+pattern, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		v := &Values{After: map[string]any{"notes": text}}
		if got, err := e.Holds(v); err != nil || got != want {
			t.Errorf("%t, %v; want %t", got, err, want)
		}
		if spent := mostWork - v.budget.work; spent > 2*len(text) {
			t.Errorf("it took %d of %d bytes", spent, len(text))
		}
	}
}
