package shape

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
)

// methodCalls are calls of all methods of times and durations that an expression can make, with values of their own: each
// from what metering takes in its place and from what it leaves.
func methodCalls(t *testing.T) (calls []string) {
	t.Helper()
	arguments := map[reflect.Type]string{
		reflect.TypeFor[time.Time](): `date("2026-03-02")`, reflect.TypeFor[time.Duration](): `duration("90s")`, reflect.TypeFor[int](): "2", reflect.TypeFor[string](): `"02.01.2006"`,
		reflect.TypeFor[*time.Location](): `timezone("Europe/Rome")`,
	}
	for of, receivers := range map[reflect.Type][]string{
		reflect.TypeFor[time.Time]():     {`date("2026-03-01T10:11:12Z")`, `(date("2026-03-02T10:11:12Z") - duration("24h"))`, `date(after.text)`, `(let d = date(after.text); d)`},
		reflect.TypeFor[time.Duration](): {`duration("-1h2m3.5s")`, `(date("2026-03-01") - date("2026-03-02"))`, `date(after.text).Sub(date("2026-01-01"))`},
	} {
		for m := range of.Methods() {
			var args []string
			for n := 1; n < m.Type.NumIn(); n++ {
				text, is := arguments[m.Type.In(n)]
				if !is {
					args = nil
					break
				}
				args = append(args, text)
			}
			if len(args) != m.Type.NumIn()-1 || m.Type.NumOut() != 1 && (m.Type.NumOut() != 2 || m.Type.Out(1) != reflect.TypeFor[error]()) {
				continue // bytes, or several values, which expressions do not have
			}
			for _, receiver := range receivers {
				call := fmt.Sprintf("%s.%s(%s)", receiver, m.Name, strings.Join(args, ", "))
				calls = append(calls, call)
				if m.Type.Out(0).Kind() == reflect.Bool {
					calls = append(calls, "!"+call, "not "+call, call+" == false", call+" ? 1 : 2", call+" && after.id == 7", "all(event.changed, "+call+")")
				}
			}
		}
	}
	return calls
}

// TestMethods: within its bounds a method of a time or a duration does what it does in the library.
func TestMethods(t *testing.T) {
	t.Parallel()
	v := bookings()
	v.After["text"] = "2026-07-01T10:11:12Z"
	calls := methodCalls(t)
	if len(calls) < 150 {
		t.Errorf("only %d calls", len(calls))
	}
	for _, text := range calls {
		program, err := expr.Compile(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want, wrong := expr.Run(program, v.named())
		e, err := Value(text, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := valueOf(e, v); (err != nil) != (wrong != nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %#v, %v\nwant %#v, %v", text, got, err, want, wrong)
		}
	}
}
