// Package rules is what may be wanted, and who wants it: rule files, the catalog of entities, and what an event is, with the
// question whether a rule wants one. Package events beneath makes events of row changes.
package rules

import (
	"fmt"
	"iter"
	"slices"

	"rowhook/cdc"
	"rowhook/rules/shape"
)

// Rule is one rule of a rule file: which events, how much to load, where to post. It never changes.
type Rule struct {
	Name     string
	Disabled bool // it wants nothing, and what is stored for it is held
	Action   Action
	Type     Type            // saves only
	Statuses map[string]bool // empty: every status
	Load     Load            // deletes have none
	On       []cdc.Op        // custom rules only: what happens to rows
	Sites    map[string]bool // empty: every site
	Slack    bool            // of what befalls rowhook itself only: the payload is one sentence, as Slack takes it
	Endpoint Endpoint
	Shape    *Shape // nil: what is posted is what was loaded
	Place    string // where it is written, file:line, for messages
	// KeyPlaces is where each column of Action.Entity.Key is named, for messages: rules.yaml:7: rules[0].key[0]. Custom rules only.
	KeyPlaces []string
	Doubts    []string // what is allowed, and most likely not meant

	misnamed func(table cdc.TableName, columns []string) []Misnamed // nil: it names no columns but its key's
}

// Shape is what a rule wants of an event besides, and makes of its payload: in the order of the fields.
type Shape struct {
	When     *shape.Expression // must hold; nil: always
	WhenText string            // as it is written, for people
	Previous bool              // the payload has the columns that changed as they were
	Filter   *shape.Filter     // nil: all fields stay
	Template *shape.Template   // in place of the payload; nil: none
	Document *shape.Document   // in place of the payload, and no JSON; nil: none

	standIn *shape.Filter // the Filter of a row that stands in an extended payload's place
}

// Uses is what the shape's expressions name.
func (s *Shape) Uses() (uses []shape.Uses) {
	if s.When != nil {
		uses = append(uses, s.When.Uses)
	}
	if s.Template != nil {
		uses = append(uses, s.Template.Uses)
	}
	if s.Document != nil {
		uses = append(uses, s.Document.Uses)
	}
	return uses
}

// Make makes of a payload what is posted. The error is about these values.
func (s *Shape) Make(body []byte, v *shape.Values) ([]byte, error) { return s.make(s.Filter, body, v) }

// MakeOfRow makes what is posted of a row that stands in the place of an extended payload, for that cannot be loaded.
func (s *Shape) MakeOfRow(body []byte, v *shape.Values) ([]byte, error) {
	return s.make(s.standIn, body, v)
}

func (s *Shape) make(filter *shape.Filter, body []byte, v *shape.Values) (_ []byte, err error) {
	if filter != nil {
		if body, err = filter.Apply(nil, body); err != nil {
			return nil, err
		}
	}
	if s.Template != nil {
		if body, err = s.Template.Body(v); err != nil {
			return nil, fmt.Errorf("template: %w", err)
		}
	}
	if s.Document != nil {
		if body, err = s.Document.Body(v); err != nil {
			return nil, fmt.Errorf("template_file: %w", err)
		}
	}
	return body, nil
}

// Secrets are the texts that may be secrets in what a rule posts.
func (s *Shape) Secrets() (secrets []string) {
	if s == nil {
		return nil
	}
	if s.Template != nil {
		secrets = append(secrets, s.Template.Secrets...)
	}
	if s.Document != nil {
		secrets = append(secrets, s.Document.Secrets...)
	}
	return secrets
}

// Masked is the shape as it may be shown: without the values of a template or template_file that may be secrets.
func (s *Shape) Masked() *Shape {
	if s == nil {
		return nil
	}
	masked := *s
	if s.Template != nil {
		masked.Template = s.Template.Masked()
	}
	if s.Document != nil {
		masked.Document = s.Document.Masked()
	}
	return &masked
}

// Before says whether the shape needs the row as it was.
func (s *Shape) Before() bool {
	return s != nil && (s.Previous || slices.ContainsFunc(s.Uses(), func(u shape.Uses) bool { return u.Whole || len(u.Before) > 0 }))
}

// Type filters saves by whether they made the object.
type Type uint8

// The plugin's types.
const (
	Both Type = iota
	InsertOnly
	UpdateOnly
)

func (t Type) String() string {
	switch t {
	case InsertOnly:
		return "insert"
	case UpdateOnly:
		return "update"
	}
	return "both"
}

// Endpoint is where a rule's deliveries go.
type Endpoint struct {
	URL           string
	WebhookID     int64    // X-VAP-WEBHOOK-ID, 0: none
	Secret        string   // sends its md5, as the plugin does
	SigningSecret []string // Standard Webhooks keys as written, whsec_ and base64; the first is the newest
	OrderGroup    string   // deliveries of one group keep their order; empty: scheme, host and port of URL
	Headers       []Header // sent with each request besides our own
	CloudEvents   bool     // tells of each event in the ce- headers of CloudEvents, too
	ContentType   string   // of what is posted; empty: application/json
}

// Header is a field of a request's head. Its value may be a secret.
type Header struct{ Name, Value string }

// Set is the rules of a configuration, in the order of their files.
type Set struct {
	Rules []*Rule
	Files []string // the rule files, also those without rules
	Empty []string // the files without rules
	// Digest is the same for the same rule files, wherever they lie and whatever they are called.
	Digest string
	// Secrets are the files that hold secrets, rule files and those that rule files name.
	Secrets []string
}

// Enabled are the rules that are not disabled, in their order.
func (s *Set) Enabled() iter.Seq[*Rule] {
	return func(yield func(*Rule) bool) {
		for _, r := range s.Rules {
			if !r.Disabled && !yield(r) {
				return
			}
		}
	}
}
