package loader

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rowhook/rules"
	"rowhook/rules/shape"
)

// Unshaped says that Body is no payload but why a rule's shape makes none of this event. It is not posted.
const Unshaped Object = "unshaped"

// shaped makes of a payload what its rule wants of it; false when the rule's condition does not hold. What cannot be made of
// this event is a payload that is Unshaped: the rule's trouble, and nobody else's.
func (m *maker) shaped(ev *rules.Event, o object, p Payload) (Payload, bool) {
	v := m.takeValues(ev, o)
	defer m.giveValues(v)
	body, holds, err := v.shape(p)
	if err == nil && len(body) > m.opts.MaxPayload {
		err = fmt.Errorf("what the rule makes of the payload has %d bytes, and max_payload is %d", len(body), m.opts.MaxPayload)
	}
	if err != nil {
		p.Object, p.Body = Unshaped, []byte(err.Error())
		return p, true
	}
	p.Body = body
	return p, holds
}

// shape makes of a payload what a rule wants of it; false when its condition does not hold. What only the rest of the rule
// names is not even looked at then.
func (v *eventValues) shape(p Payload) (body []byte, holds bool, err error) {
	s, payload := p.Rule.Shape, p.Body
	if s.When != nil {
		if err := p.lacks(s.When.Uses); err != nil {
			return nil, false, fmt.Errorf("when: %w", err)
		}
		if holds, err = v.holds(s.When, payload); err != nil || !holds {
			return payload, false, err
		}
	}
	if s.Template != nil {
		if err := errors.Join(p.lacks(s.Template.Uses), v.add(s.Template.Uses, payload)); err != nil {
			return nil, false, err
		}
	}
	if s.Document != nil {
		if err := errors.Join(p.lacks(s.Document.Uses), v.add(s.Document.Uses, payload)); err != nil {
			return nil, false, err
		}
	}
	if s.Previous {
		payload = withPrevious(payload, v.ev)
	}
	if p.standsIn() {
		body, err = s.MakeOfRow(payload, &v.Values)
	} else {
		body, err = s.Make(payload, &v.Values)
	}
	return body, true, err
}

// standsIn says whether the payload is a row in the place of all that belongs to it.
func (p Payload) standsIn() bool { return p.Rule.Load == rules.Extended && p.Object != "" }

// lacks says what of a payload, which is what the log showed and no more, expressions cannot have: it is not known, which is another
// thing than that there is none.
func (p Payload) lacks(u shape.Uses) error {
	if p.Object != Partial || p.Rule.Load == rules.Basic {
		return nil
	}
	fields, err := shape.Fields(p.Body, u.Fields)
	if err != nil {
		return err
	}
	known, _ := fields.(map[string]any)
	for _, name := range u.Fields {
		if _, is := known[name]; !is {
			return fmt.Errorf("payload.%s: what belongs to this event could not be loaded, and the log does not show it", name)
		}
	}
	return nil
}

// withPrevious adds the columns that an update changed as they were; null where there was no row, or nobody knows it.
func withPrevious(body []byte, ev *rules.Event) []byte {
	if len(body) < 2 || body[0] != '{' {
		return body
	}
	b := append(slices.Clone(body[:len(body)-1]), ',')
	if len(body) == 2 {
		b = b[:1]
	}
	b = append(b, `"previous":`...)
	if ev.Before.Len() == 0 {
		return append(b, "null}"...)
	}
	b = append(b, '{')
	for i, name := range ev.Table.Columns {
		if i < len(ev.Changed) && ev.Changed[i] && ev.Before.Shows(i) {
			b = appendNative(appendKey(b, name), ev.Before, i)
		}
	}
	return append(b, "}}"...)
}

// Shape is what a rule makes of a payload that was not loaded; false when the rule's condition does not hold.
func (m *maker) Shape(ev *rules.Event, p Payload) (Payload, bool) { return m.shaped(ev, object{}, p) }

// Named shows the columns that a rule's condition names, with their values, for people.
func (m *maker) Named(ev *rules.Event, r *rules.Rule) string {
	if r.Shape == nil || r.Shape.When == nil {
		return "nothing"
	}
	before, after := imagesOf(ev, object{})
	shown := append(shownOf("before", before, r.Shape.When.Before), shownOf("after", after, r.Shape.When.After)...)
	slices.Sort(shown)
	return strings.Join(append(shown, fmt.Sprintf("event.type = %q", eventOf(ev)["type"])), ", ")
}

func shownOf(what string, row record, names []string) (shown []string) {
	for _, name := range names {
		value := any(nil)
		if !row.missing() && row.column(name) >= 0 {
			value = valueOf(row.row, row.column(name))
		}
		if value == nil {
			value = "nil"
		} else if text, ok := value.(string); ok {
			value = strconv.Quote(text)
		}
		shown = append(shown, fmt.Sprintf("%s.%s = %v", what, name, value))
	}
	return shown
}
