package rules

import (
	"errors"
	"fmt"
	"strings"

	"rowhook/rules/shape"
)

const (
	mostPaths   = 500
	longestPath = 500 // in bytes
)

// shape checks what a rule makes of its payload and fills it in. It stands behind filters: the action says which columns there are.
func (c check) shape(e entry, rule *Rule) {
	if rule.Action.Kind == Told {
		for _, key := range []string{"when", "previous", "fields", "redact", "template"} {
			if c.has(key) {
				c.faultf(key, "is for events of a site's data, and this is %s; remove it", rule.Action)
			}
		}
		return
	}
	s := &Shape{Previous: e.Previous}
	columns := rule.Action.Columns()
	if c.has("when") {
		var err error
		if s.When, err = shape.Condition(e.When, columns); err != nil {
			c.faultf("when", "%v", err)
		}
	}
	if e.Previous && (rule.Action.Kind != Save || rule.Action.Entity.Custom) {
		c.faultf("previous", "is for saves of the plugin's objects only; remove it")
	}
	c.paths("fields", e.Fields)
	c.paths("redact", e.Redact)
	if len(e.Fields)+len(e.Redact) > 0 {
		s.Filter = shape.NewFilter(e.Fields, e.Redact)
	}
	if e.Template.Node != nil {
		if len(e.Fields)+len(e.Redact) > 0 || e.Previous {
			c.faultf("template", "takes the payload's place, so fields, redact and previous do nothing beside it; remove one")
		}
		var err error
		if s.Template, err = shape.NewTemplate(e.Template.Node, columns, e.Template.Expand); err != nil {
			c.placed(err)
		}
	}
	if s.When != nil || s.Previous || s.Filter != nil || s.Template != nil {
		rule.Shape = s
	}
}

func (c check) paths(key string, paths []string) {
	if c.has(key) && len(paths) == 0 {
		c.faultf(key, "is empty; name fields, or remove it")
	}
	if len(paths) > mostPaths {
		c.faultf(key, "names %d fields; a rule may name %d", len(paths), mostPaths)
	}
	for i, p := range paths {
		if len(p) > longestPath || p == "" || strings.HasPrefix(p, ".") || strings.HasSuffix(p, ".") || strings.Contains(p, "..") {
			item := fmt.Sprintf("%s[%d]", key, i)
			c.faultf(item, "%s is no field; write its name, and of a field within another both, with a dot between them", c.quote(item))
		}
	}
}

// placed reports the errors of a template, each with its own line.
func (c check) placed(err error) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			c.placed(one)
		}
		return
	}
	if at, ok := errors.AsType[*shape.PlaceError](err); ok {
		c.src.FaultAt(at.Line, c.key+".template"+at.Path, "%v", at.Err)
		return
	}
	c.faultf("template", "%v", err)
}
