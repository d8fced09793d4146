package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rowhook/rules"
)

// A row of the relay holds the arguments of a hook as a callback in WordPress sees them, in a JSON list. Anybody who may write
// to the site's tables may have written it, so nothing in it is trusted.

// relayCall is a call of a hook.
type relayCall struct {
	args   []json.RawMessage
	filter bool          // then the first is the filter's value
	left   []relayedNull // what has no place in args
}

// relayedNull is a value that is null among the arguments for it has no place there: [1, "items.3.image", "too large"].
type relayedNull struct {
	arg        int
	where, why string
}

// relayPayload is the arguments of a hook that leaves no row: counted as WordPress does, arg1 is the first behind a filter's value;
// with the plugin's fidelity from 0, with the plugin's options behind them. A row that cannot be read shows nothing.
func (m *maker) relayPayload(ev *rules.Event) Payload {
	call, err := parseCall(record{ev.Table, ev.Row})
	if err != nil {
		return Payload{Body: []byte("{}"), Object: Partial}
	}
	p := Payload{Body: call.body(m.opts.Plugin), Omitted: call.omitted(m.opts.Plugin)}
	if len(p.Body) > m.opts.MaxPayload {
		return Payload{Body: []byte("{}"), Object: Partial}
	}
	return p
}

// parseCall reads a row of the relay.
func parseCall(r record) (call relayCall, err error) {
	if call.args, err = parseArguments(r.text("args")); err != nil {
		return call, fmt.Errorf("the arguments of a hook: %w", err)
	}
	call.filter = r.text("kind") != "action"
	var left [][]json.RawMessage
	if omitted := r.text("omitted"); len(omitted) <= longestOmitted {
		_ = json.Unmarshal([]byte(omitted), &left) // it only helps
	}
	for _, of := range left[:min(len(left), maxNamed)] {
		var n relayedNull
		if len(of) == 3 && json.Unmarshal(of[0], &n.arg) == nil && json.Unmarshal(of[1], &n.where) == nil && json.Unmarshal(of[2], &n.why) == nil {
			call.left = append(call.left, n)
		}
	}
	return call, nil
}

// What the relay writes is shorter, and no hook has so many arguments.
const (
	longestArguments = 1 << 20 // bytes
	longestOmitted   = 32 << 10
	maxArguments     = 100
)

// parseArguments reads a JSON list.
func parseArguments(text string) (args []json.RawMessage, err error) {
	if len(text) > longestArguments {
		return nil, fmt.Errorf("they take %d bytes", len(text))
	}
	d := json.NewDecoder(strings.NewReader(strings.ToValidUTF8(text, "\uFFFD")))
	if first, err := d.Token(); err != nil || first != json.Delim('[') {
		return nil, errors.Join(errors.New("they are no list"), err)
	}
	for d.More() {
		var arg json.RawMessage
		if err := d.Decode(&arg); err != nil {
			return nil, err
		}
		if args = append(args, arg); len(args) > maxArguments {
			return nil, fmt.Errorf("they are more than %d", maxArguments)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows them")
	}
	return args, nil
}

// maxNamed bounds how many values are named that are left out, longestNamed how long the names are, in bytes.
const (
	maxNamed     = 20
	longestNamed = 200
)

// shown are the arguments that a payload shows.
func (c *relayCall) shown(plugin bool) []json.RawMessage {
	shown := c.args
	if c.filter && len(shown) > 0 {
		shown = shown[1:]
	}
	if n := len(shown); n > 0 && !plugin && isOptions(shown[n-1]) {
		shown = shown[:n-1]
	}
	return shown
}

// isOptions says whether an argument is the options that the plugin puts behind those of its hooks.
func isOptions(arg json.RawMessage) bool {
	const longest = 4 << 10
	if len(arg) > longest || !bytes.HasPrefix(arg, []byte("{")) {
		return false
	}
	var options map[string]json.RawMessage
	if json.Unmarshal(arg, &options) != nil {
		return false
	}
	for _, key := range []string{"alias", "version", "admin", "call"} {
		if _, ok := options[key]; !ok {
			return false
		}
	}
	return true
}

// body is the payload.
func (c *relayCall) body(plugin bool) []byte {
	a := arguments{b: []byte{'{'}, next: firstArgument(plugin)}
	for _, arg := range c.shown(plugin) {
		a.add(arg)
	}
	return append(a.b, '}')
}

// firstArgument is the number of the first argument.
func firstArgument(plugin bool) int {
	if plugin {
		return 0
	}
	return 1
}

// omitted names the values that are left out: arg1.items.3.image.
func (c *relayCall) omitted(plugin bool) (names []string) {
	at := firstArgument(plugin)
	if c.filter {
		at--
	}
	shown := len(c.shown(plugin))
	for _, n := range c.left {
		number := n.arg + at
		if n.why == "base64" || n.arg < 0 || number < firstArgument(plugin) || number >= firstArgument(plugin)+shown {
			continue
		}
		name := "arg" + strconv.Itoa(number)
		if n.where != "" {
			name += "." + n.where
		}
		names = append(names, strings.ToValidUTF8(name[:min(len(name), longestNamed)], ""))
	}
	return names
}
