package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/docs/schemas"
	"rowhook/rules"
	"rowhook/rules/shape"
	"rowhook/trouble"
)

// sampleOf is what a rule would post of invented data: whether it would want it is another matter.
func sampleOf(r *rules.Rule, site string) ([]byte, error) {
	body, err := inventFor(r)
	if err != nil || r.Shape == nil {
		return body, err
	}
	if r.Shape.Previous {
		body = append(bytes.TrimSuffix(body, []byte("}")), `,"previous":{}}`...)
	}
	if body, err = r.Shape.Make(body, inventValues(r, site, body)); err != nil {
		return nil, fmt.Errorf("making a sample of rule %s: %w", r.Name, err)
	}
	return body, nil
}

// inventValues are what a rule's expressions can name, of an update.
func inventValues(r *rules.Rule, site string, body []byte) *shape.Values {
	now := time.Now().UTC()
	v := &shape.Values{Site: site, After: map[string]any{}, Event: map[string]any{
		"action": r.Action.String(), "type": "update", "status": "C", "key": "12", "changed": []string{},
		"time": now.Format(time.RFC3339Nano), "seconds": int(now.Unix()),
	}}
	v.Payload, _ = shape.Payload(body) // it is ours
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

// siteFor is the first of some sites that a rule is for, "" where there is none.
func siteFor(r *rules.Rule, sites []string) string {
	i := slices.IndexFunc(sites, func(name string) bool { return len(r.Sites) == 0 || r.Sites[name] })
	if i < 0 {
		return ""
	}
	return sites[i]
}

// inventFor is invented data in the shape of what a rule posts: that of its schema, where there is one.
func inventFor(r *rules.Rule) ([]byte, error) {
	switch {
	case r.Action.Kind == rules.Rows:
		return json.Marshal(map[string]any{"type": "insert", "table": r.Action.Entity.Table, "key": map[string]any{"id": 12}, "data": map[string]any{"id": 12, "sample": true}})
	case r.Action.Kind == rules.Told:
		return trouble.Sample(r, time.Now()), nil
	case r.Action.Entity.Custom:
		return json.Marshal(map[string]any{"arg1": map[string]any{"id": "12", "sample": true}, "arg2": true})
	}
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
