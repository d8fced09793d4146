package api

import (
	"maps"
	"slices"

	"rowhook/rules"
	"rowhook/weburl"
)

// Rule is a rule as it is shown: without secrets.
type Rule struct {
	Name        string   `json:"name"`
	Enabled     bool     `json:"enabled"`
	Action      string   `json:"action"`
	Hook        string   `json:"hook"`
	Type        string   `json:"type,omitempty"`
	Statuses    []string `json:"statuses,omitempty"`
	Load        string   `json:"load,omitempty"`
	Table       string   `json:"table,omitempty"` // custom rules only, as Key and On are
	Key         []string `json:"key,omitempty"`
	On          []string `json:"on,omitempty"`
	Sites       []string `json:"sites,omitempty"`
	URL         string   `json:"url"`
	ID          int64    `json:"id,omitempty"`
	OrderGroup  string   `json:"order_group,omitempty"`
	When        string   `json:"when,omitempty"`
	Shaped      []string `json:"shaped,omitempty"`  // which of previous, filter, template and template_file make another payload
	Headers     []string `json:"headers,omitempty"` // names: their values may be secrets
	Format      string   `json:"format,omitempty"`
	ContentType string   `json:"content_type,omitempty"` // empty: application/json
	Secret      bool     `json:"secret"`
	Signed      bool     `json:"signed"`
	Place       string   `json:"place"`
}

// NewRule is a rule, on wish with the tokens that may be in its URL.
func NewRule(r *rules.Rule, secrets bool) Rule {
	l := Rule{
		Name: r.Name, Enabled: !r.Disabled, Action: r.Action.String(), Hook: r.Action.Hook(),
		Statuses: slices.Sorted(maps.Keys(r.Statuses)), Sites: slices.Sorted(maps.Keys(r.Sites)),
		URL: r.Endpoint.URL, ID: r.Endpoint.WebhookID, OrderGroup: r.Endpoint.OrderGroup,
		Secret: r.Endpoint.Secret != "", Signed: len(r.Endpoint.SigningSecret) > 0, Place: r.Place,
	}
	if !secrets {
		l.URL = weburl.Short(l.URL)
	}
	for _, h := range r.Endpoint.Headers {
		l.Headers = append(l.Headers, h.Name)
	}
	l.ContentType = r.Endpoint.ContentType
	if r.Endpoint.CloudEvents {
		l.Format = "cloudevents"
	} else if r.Slack {
		l.Format = "slack"
	}
	if s := r.Shape; s != nil {
		l.When = s.WhenText
		for what, is := range map[string]bool{"previous": s.Previous, "filter": s.Filter != nil, "template": s.Template != nil, "template_file": s.Document != nil} {
			if is {
				l.Shaped = append(l.Shaped, what)
			}
		}
		slices.Sort(l.Shaped)
	}
	if r.Action.Kind == rules.Save {
		l.Type = r.Type.String()
	}
	if r.Load != 0 {
		l.Load = r.Load.String()
	}
	if r.Action.Kind == rules.Rows {
		l.Table, l.Key, l.On = r.Action.Entity.Table, r.Action.Entity.Key, Operations(r)
	}
	return l
}

// Operations are what a custom rule wants of its rows.
func Operations(r *rules.Rule) []string {
	names := make([]string, len(r.On))
	for i, op := range r.On {
		names[i] = op.String()
	}
	return names
}
