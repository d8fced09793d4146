package rules

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/rules/shape"
	"rowhook/words"
)

const (
	mostPaths   = 500
	longestPath = 500 // of a path or a content type, in bytes
)

// shape checks what a rule makes of its payload and fills it in. It stands behind filters: the action says which columns there are.
func (c check) shape(e entry, rule *Rule) {
	for _, key := range []string{"fields", "redact", "template", "template_file"} {
		if rule.Slack && c.has(key) {
			c.faultf(key, "makes a payload of its own, as format: slack does; remove one of them")
		}
	}
	var names *shape.Names
	if c.has("when") || c.has("template") || c.has("template_file") || len(e.Fields)+len(e.Redact) > 0 {
		names = &shape.Names{Row: rule.Action.Columns(), Payload: rule.payload()}
		texts, later := remembered{}, e
		later.When.Expand, later.Template.Expand = texts.again, texts.again
		rule.misnamed = c.misnamed(later, rule)
		e.When.Expand, e.Template.Expand = texts.by(e.When.Expand), texts.by(e.Template.Expand)
	}
	c.shapeOf(e, rule, names)
}

// shapeOf is shape where it is known what may be named.
func (c check) shapeOf(e entry, rule *Rule, names *shape.Names) {
	s := &Shape{Previous: e.Previous}
	if c.has("when") {
		var err error
		s.WhenText = strings.TrimSpace(e.When.Written)
		if s.When, err = shape.Condition(e.When.Written, names, e.When.Expand); err != nil {
			c.wrongWhen(err, names, rule)
		} else {
			c.missing("when", s.When.Uses, s.When.Needs, rule)
		}
	}
	if e.Previous && (rule.Action.Kind != Save || rule.Action.Entity.Custom) {
		c.faultf("previous", "is for saves of the plugin's objects only; remove it")
	}
	c.filter(e, s, rule, names)
	c.template(e, s, rule, names)
	c.document(e, s, rule, names)
	if s.When != nil || s.Previous || s.Filter != nil || s.Template != nil || s.Document != nil {
		rule.Shape = s
	}
}

// missing reports an expression about a row that none of the rule's events has, and tells of one about a row that some have not.
func (c check) missing(key string, uses shape.Uses, needs shape.Needs, rule *Rule) {
	is := func(op cdc.Op) bool { return rule.Action.Kind != Rows || slices.Contains(rule.On, op) }
	switch kind := rule.Action.Kind; {
	case needs.After && (kind == Delete || kind == Rows && !is(cdc.Insert) && !is(cdc.Update)):
		c.faultf(key, "names after.%s, and of what is deleted there is no row after; name before", uses.After[0])
	case needs.Before && (kind == Save && rule.Type != UpdateOnly || kind == Rows && is(cdc.Insert)):
		place := c.key + "." + key
		remedy := "type: update"
		if kind == Rows {
			remedy = "on: [update]"
		}
		rule.Doubts = append(rule.Doubts, fmt.Sprintf("%s: %s: of what is new there is no before.%s, so it fails then; write before?.%s, or %s",
			c.src.Place(place), place, uses.Before[0], uses.Before[0], remedy))
	}
}

// wrongWhen reports what is wrong with a condition, in its own line of a block of several.
func (c check) wrongWhen(err error, names *shape.Names, rule *Rule) {
	line := 1
	if wrong, ok := errors.AsType[*shape.ExpressionError](err); ok {
		line = wrong.Line
	}
	key := c.key + ".when"
	c.src.FaultAt(c.src.LineOf(key, line), key, "%w", suggested(err, names, rule))
}

// template checks what is posted in the payload's place, as JSON.
func (c check) template(e entry, s *Shape, rule *Rule, names *shape.Names) {
	if e.Template.Node == nil {
		return
	}
	if len(e.Fields)+len(e.Redact) > 0 || e.Previous {
		c.faultf("template", "takes the payload's place, so fields, redact and previous do nothing beside it; remove one")
	}
	var err error
	if s.Template, err = shape.NewTemplate(e.Template.Node, names, e.Template.Expand); err != nil {
		c.placed(err, names, rule)
		return
	}
	if s.Template.Written {
		c.src.Holds("")
	}
	c.missing("template", s.Template.Uses, s.Template.Needs, rule)
	for _, d := range s.Template.Doubts {
		rule.Doubts = append(rule.Doubts, fmt.Sprintf("%s: %s.template%s: %v", c.src.Place(c.key+".template"), c.key, d.Path, d.Err))
	}
}

// largestTemplate bounds a template_file, in bytes.
const largestTemplate = 64 << 10

// document checks what is posted in the payload's place, and is no JSON.
func (c check) document(e entry, s *Shape, rule *Rule, names *shape.Names) {
	contentType := e.ContentType
	if c.has("content_type") {
		if media, _, err := mime.ParseMediaType(contentType); err != nil || !strings.Contains(media, "/") || len(contentType) > longestPath || !isASCII(contentType) {
			c.faultf("content_type", "%s is no content type; write for example application/xml or text/plain; charset=utf-8", c.quote("content_type"))
			contentType = ""
		}
	}
	if c.has("template_file") {
		contentType = cmp.Or(contentType, shape.DefaultContentType)
		if len(e.Fields)+len(e.Redact) > 0 || e.Previous || e.Template.Node != nil {
			c.faultf("template_file", "takes the payload's place, so template, fields, redact and previous do nothing beside it; remove one")
		}
		if text, path, ok := c.src.ReadBeside(c.key+".template_file", e.TemplateFile, largestTemplate); ok {
			var err error
			if s.Document, err = shape.NewDocument(text, contentType, names); err != nil {
				c.placedIn(path, err, names, rule)
			} else if len(s.Document.Secrets) > 0 {
				c.src.Holds(path)
			}
		}
	}
	rule.Endpoint.ContentType = contentType
}

// placedIn reports the errors of a template_file, each with its own line.
func (c check) placedIn(path string, err error, names *shape.Names, rule *Rule) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			c.placedIn(path, one, names, rule)
		}
		return
	}
	if at, ok := errors.AsType[*shape.PlaceError](err); ok {
		c.src.FaultIn(path, at.Line, c.key+".template_file", "%v", suggested(at.Err, names, rule))
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// placed reports the errors of a template, each with its own line.
func (c check) placed(err error, names *shape.Names, rule *Rule) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			c.placed(one, names, rule)
		}
		return
	}
	if at, ok := errors.AsType[*shape.PlaceError](err); ok {
		c.src.FaultAt(at.Line, c.key+".template"+at.Path, "%w", suggested(at.Err, names, rule))
		return
	}
	c.faultf("template", "%v", err)
}

// suggested adds to the error of an expression what most likely was meant by a name that is not there.
func suggested(err error, names *shape.Names, rule *Rule) error {
	wrong, ok := errors.AsType[*shape.ExpressionError](err)
	if !ok {
		return err
	}
	better := *wrong
	if name, is := strings.CutPrefix(wrong.Message, "unknown name "); is {
		better.Message += meantName(name, names)
	} else if name, is := strings.CutPrefix(wrong.Message, "unknown field "); is {
		better.Message += meantField(name, names, rule)
	}
	return &better
}

// otherWords are how other languages write what expressions have.
var otherWords = map[string]string{"null": "nil", "none": "nil", "true": "true", "false": "false", "and": "and", "or": "or", "not": "not", "like": "contains", "length": "len", "size": "len"}

// meantName is what may be meant by a name that stands alone.
func meantName(name string, names *shape.Names) string {
	if word := otherWords[strings.ToLower(name)]; word != "" {
		return "; did you mean " + word + "?"
	}
	if _, is := names.Row[name]; is {
		return "; did you mean after." + name + "?"
	}
	if slices.Contains(names.Payload.Below(), name) {
		return "; did you mean payload." + name + "?"
	}
	near := words.DidYouMean(name, append([]string{"before", "after", "payload", "event", "site"}, shape.Functions()...))
	return cmp.Or(near, "; there are before, after, payload, event and site, and a text stands in quotes: '"+name+"'")
}

// meantField is what may be meant by a name behind a dot.
func meantField(name string, names *shape.Names, rule *Rule) string {
	known := names.Fields()
	for load := rule.Load + 1; rule.Load != 0 && load <= Extended; load++ {
		richer := *rule
		richer.Load = load
		if slices.Contains(richer.payload().Below(), name) && !slices.Contains(names.Payload.Below(), name) {
			return fmt.Sprintf("; payload has it with load: %s", load)
		}
	}
	switch {
	case names.Row != nil && len(names.Row) == 0 && slices.Contains(known, name), names.Row != nil && len(names.Row) == 0 && words.DidYouMean(name, known) == "":
		return "; what befalls rowhook itself has no row: name payload, such as payload.text, event or site"
	case slices.Contains(known, name): // another value has one of that name
		return ""
	}
	return words.DidYouMean(name, known)
}
