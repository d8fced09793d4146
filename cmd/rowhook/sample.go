package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	columns, table := r.Action.Columns(), ""
	if r.Action.Entity != nil {
		table = r.Action.Table()
	}
	if columns == nil {
		columns = shape.Columns{}
		for _, u := range r.Shape.Uses() {
			for _, name := range slices.Concat(u.Before, u.After) {
				columns[name] = shape.Text
			}
		}
	}
	for name, kind := range columns {
		_, v.After[name] = inventColumn(table, name, kind, "")
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
