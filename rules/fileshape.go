package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
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
		s.WhenText = strings.TrimSpace(e.When)
		if s.When, err = shape.Condition(e.When, columns); err != nil {
			c.faultf("when", "%v", suggested(err, columns))
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
			c.placed(err, columns)
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
func (c check) placed(err error, columns shape.Columns) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			c.placed(one, columns)
		}
		return
	}
	if at, ok := errors.AsType[*shape.PlaceError](err); ok {
		c.src.FaultAt(at.Line, c.key+".template"+at.Path, "%v", suggested(at.Err, columns))
		return
	}
	c.faultf("template", "%v", err)
}

// suggested adds to the error of an expression the nearest name that there is to one that there is not.
func suggested(err error, columns shape.Columns) error {
	wrong, ok := errors.AsType[*shape.ExpressionError](err)
	if !ok {
		return err
	}
	names := slices.Concat(slices.Sorted(maps.Keys(columns)), shape.EventFields())
	name, isField := strings.CutPrefix(wrong.Message, "unknown field ")
	if !isField {
		var isName bool
		if name, isName = strings.CutPrefix(wrong.Message, "unknown name "); !isName {
			return err
		}
		names = []string{"before", "after", "payload", "event", "site"}
	}
	better := *wrong
	better.Message += DidYouMean(name, names)
	return &better
}
