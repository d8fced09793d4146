package loader

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rowhook/cdc/schema"
	"rowhook/rules"
)

const relayOptions = `{"alias":"com_vikappointments","version":"1.2.15","admin":true,"call":null}`

// relayed is the payload of a row of the relay.
func relayed(kind, args, omitted string, plugin bool) Payload {
	r := columns("id", "a1", "hook", "add_item_cart", "kind", kind, "args", args, "omitted", omitted)
	l := &Loader{maker: newMaker(Options{Plugin: plugin, MaxPayload: DefaultMaxPayload}, slog.New(slog.DiscardHandler))}
	return l.relayPayload(&rules.Event{Table: schema.NewTable(r.table.TableName, r.table.Columns, []int{0}), Row: r.row})
}

// TestRelayPayload: the arguments of a filter's callback behind its value, those of an action all.
func TestRelayPayload(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind, args, omitted string
		documented, plugin  string
		named, namedPlugin  []string
	}{
		"documentation's": {kind: "filter", args: `[null,{"a":1},{"b":[2]},"",` + relayOptions + `]`,
			documented: `{"arg1":{"a":1},"arg2":{"b":[2]},"arg3":""}`, plugin: `{"arg0":{"a":1},"arg1":{"b":[2]},"arg2":"","arg3":` + relayOptions + `}`},
		"no options": {kind: "filter", args: `[null,{},{},""]`, documented: `{"arg1":{},"arg2":{},"arg3":""}`, plugin: `{"arg0":{},"arg1":{},"arg2":""}`},
		"action":     {kind: "action", args: `[1,"x"]`, documented: `{"arg1":1,"arg2":"x"}`, plugin: `{"arg0":1,"arg1":"x"}`},
		"nothing":    {kind: "filter", args: `[null]`, documented: `{}`, plugin: `{}`},
		"empty":      {kind: "filter", args: `[]`, documented: `{}`, plugin: `{}`},
		"named": {kind: "filter", args: `[null,{"f":null},null]`, omitted: `[[1,"f","closure"],[2,"","resource"],[0,"","too large"],[9,"","cycle"],[1,"g","base64"]]`,
			documented: `{"arg1":{"f":null},"arg2":null}`, plugin: `{"arg0":{"f":null},"arg1":null}`, named: []string{"arg1.f", "arg2"}, namedPlugin: []string{"arg0.f", "arg1"}},
		"odd names": {kind: "action", args: `[1]`, omitted: `[[1],{"a":1},[0,5,"x"],[0,"ok","x"]]`, documented: `{"arg1":1}`, plugin: `{"arg0":1}`, named: []string{"arg1.ok"}, namedPlugin: []string{"arg0.ok"}},
		"no UTF-8":  {kind: "action", args: "[\"a\xff\"]", documented: `{"arg1":"a` + "\uFFFD" + `"}`, plugin: `{"arg0":"a` + "\uFFFD" + `"}`},
	} {
		for plugin, want := range map[bool]string{false: test.documented, true: test.plugin} {
			named := test.named
			if plugin {
				named = test.namedPlugin
			}
			p := relayed(test.kind, test.args, test.omitted, plugin)
			if string(p.Body) != want || p.Object != "" || !slices.Equal(p.Omitted, named) {
				t.Errorf("%s, plugin %t: got %s, %q, omitted %q\nwant %s", name, plugin, p.Body, p.Object, p.Omitted, want)
			}
		}
	}
}

// TestRelayPayloadHostile: what the relay did not write shows nothing, and takes little memory.
func TestRelayPayloadHostile(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"no JSON": "<?php", "nothing": "", "no list": `{"a":1}`, "cut": `[1,{"a"`, "more": `[1] [2]`, "text": `"[1]"`, "many": "[1" + strings.Repeat(",1", 200) + "]",
		"deep": strings.Repeat("[", 100_000), "large": `["` + strings.Repeat("a", 2<<20) + `"]`,
	} {
		if p := relayed("filter", args, "[", false); string(p.Body) != "{}" || p.Object != Partial {
			t.Errorf("%s: %.50s, %q", name, p.Body, p.Object)
		}
	}
}

func FuzzRelayPayload(f *testing.F) {
	f.Add("filter", `[null,{"a":1},"",`+relayOptions+`]`, `[[1,"f","closure"]]`, false)
	f.Add("action", "[\"a\xff\",1.5e3]", `[[0,"","too large"]]`, true)
	f.Add("", `[[[[]]]]`, `{}`, true)
	f.Fuzz(func(t *testing.T, kind, args, omitted string, plugin bool) {
		p := relayed(kind, args, omitted, plugin)
		var body map[string]json.RawMessage
		if err := json.Unmarshal(p.Body, &body); err != nil {
			t.Fatalf("%q: %v", p.Body, err)
		}
		for i := range len(body) {
			if _, ok := body["arg"+strconv.Itoa(i+firstArgument(plugin))]; !ok {
				t.Errorf("%q lacks an argument", p.Body)
			}
		}
		for _, name := range p.Omitted {
			if arg, _, _ := strings.Cut(name, "."); body[arg] == nil || len(name) > longestNamed {
				t.Errorf("%q omits %q", p.Body, name)
			}
		}
	})
}
