package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/config"
	"rowhook/deliver/post"
	"rowhook/docs/schemas"
	"rowhook/loader"
	"rowhook/rules"
	"rowhook/rules/shape"
	"rowhook/trial"
	"rowhook/trouble"
)

// sampler makes samples of what rules post.
type sampler struct {
	cfg   *config.Config
	sites []*rules.Site
}

// of is what a rule would post of invented data: whether it would want it is another matter.
func (s sampler) of(ctx context.Context, r *rules.Rule) (*post.Message, error) {
	site := s.site(r)
	m := &post.Message{Action: r.Action.Hook(), Site: site.Name, Test: true, Kind: r.Action.String(), Created: time.Now(), Key: "12"}
	var values map[string]any
	var err error
	switch e := r.Action.Entity; {
	case r.Action.Kind == rules.Told:
		m.Kind, m.Key, m.Body = trouble.Sample(r, site.Name, m.Created)
		m.Action = m.Kind
	case r.Action.Kind == rules.Fired:
		m.Body = inventArguments(s.cfg.Fidelity == plugin)
	case e.Custom:
		columns := columnsAt(ctx, s.cfg.Database, e.TableOf(site))
		if len(columns) == 0 {
			columns = columnsNamed(r)
		}
		var ev *rules.Event
		ev, values = inventEvent(r, site, columns)
		m.Kind, m.Key = ev.Action.String(), string(ev.IDs[0])
		t := trial.New(&rules.Set{}, loader.Options{Plugin: s.cfg.Fidelity == plugin, MaxPayload: int(s.cfg.MaxPayload)})
		if m.Body, err = t.Body(ev, r); err != nil {
			return nil, err
		}
	default:
		if m.Body, err = inventFor(r); err != nil {
			return nil, err
		}
	}
	if r.Shape == nil {
		return m, nil
	}
	if r.Shape.Previous {
		m.Body = append(bytes.TrimSuffix(m.Body, []byte("}")), `,"previous":{}}`...)
	}
	if m.Body, err = r.Shape.Make(m.Body, inventValues(r, site.Name, m.Body, values)); err != nil {
		return nil, fmt.Errorf("making a sample of rule %s: %w", r.Name, err)
	}
	return m, nil
}

// site is the first site that a rule is for. Where sites are found by themselves, and none is yet, it stands for one.
func (s sampler) site(r *rules.Rule) *rules.Site {
	for _, site := range s.sites {
		if r.For(site) {
			return site
		}
	}
	name := "wordpress"
	if names := slices.Sorted(maps.Keys(r.Sites)); len(names) > 0 {
		name = names[0]
	}
	return &rules.Site{Name: name, Schema: name, Prefix: "wp_"}
}

// inventValues are what a rule's expressions can name, of an update; of a row that is known its values.
func inventValues(r *rules.Rule, site string, body []byte, row map[string]any) *shape.Values {
	now := time.Now().UTC()
	v := &shape.Values{Site: site, After: map[string]any{}, Event: map[string]any{
		"action": r.Action.String(), "type": "update", "status": "C", "key": "12", "changed": []string{},
		"time": now.Format(time.RFC3339Nano), "seconds": int(now.Unix()),
	}}
	v.Payload, _ = shape.Payload(body) // it is ours
	if row != nil {
		v.After, v.Before = row, maps.Clone(row)
		return v
	}
	columns := maps.Clone(r.Action.Columns())
	if columns == nil {
		columns = shape.Columns{}
		for _, u := range r.Shape.Uses() {
			for _, name := range slices.Concat(u.Before, u.After) {
				columns[name] = shape.Text
			}
		}
	}
	for name, kind := range columns {
		text := inventText(name)
		n, err := strconv.Atoi(text)
		switch {
		case kind == shape.Int && err == nil:
			v.After[name] = n
		case kind == shape.Int:
			v.After[name] = 12
		case kind == shape.Float:
			v.After[name] = 20.0
		default:
			v.After[name] = text
		}
	}
	v.Before = maps.Clone(v.After)
	return v
}

// inventFor is invented data in the shape of what a rule posts: that of its schema, where there is one.
func inventFor(r *rules.Rule) ([]byte, error) {
	name := r.Action.String()
	if r.Load != 0 {
		name += "." + r.Load.String()
	}
	text, err := schemas.Read(name)
	if err != nil {
		return json.Marshal(map[string]any{"sample": true, "action": r.Action.String()})
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("reading the schema %s: %w", name, err)
	}
	return json.Marshal(s.invent(""))
}

// schema is as much of a JSON schema as those of the payloads use.
type schema struct {
	Type       types             `json:"type"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// types are one or several.
type types []string

// UnmarshalJSON reads a name, or a list of names.
func (t *types) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(t))
	}
	*t = make(types, 1)
	return json.Unmarshal(text, &(*t)[0])
}

// invent is a value of the schema, under a key.
func (s *schema) invent(key string) any {
	is := func(name string) bool { return slices.Contains(s.Type, name) }
	switch {
	case is("object") || len(s.Properties) > 0:
		object := make(map[string]any, len(s.Properties))
		for name, property := range s.Properties {
			object[name] = property.invent(name)
		}
		return object
	case is("array"):
		if s.Items == nil {
			return []any{}
		}
		return []any{s.Items.invent(key)}
	case is("string"):
		return inventText(key)
	case is("number") || is("integer"):
		return 12
	case is("boolean"):
		return true
	}
	return nil
}

// inventText is a text that fits a column's name. Nobody is called that, and the addresses are reserved for examples.
func inventText(key string) string {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(key, part) })
	}
	switch {
	case key == "status":
		return "C"
	case has("mail"):
		return "sample@example.com"
	case has("phone"):
		return "+1 555 0100"
	case has("nominative", "name", "title", "description"):
		return "Sample"
	case has("_ts", "createdon", "modifiedon"):
		return "1795921325"
	case has("cost", "price", "total", "paid", "gross", "net", "tax"):
		return "20.00"
	case key == "id" || has("id_", "people", "duration"):
		return "12"
	}
	return ""
}
