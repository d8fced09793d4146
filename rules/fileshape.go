package rules

import (
	"cmp"
	"errors"
	"mime"
	"slices"
	"strings"

	"rowhook/rules/shape"
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
		rule.misnamed = c.misnamed(e, rule)
	}
	c.shapeOf(e, rule, names)
}

// shapeOf is shape where it is known what may be named.
func (c check) shapeOf(e entry, rule *Rule, names *shape.Names) {
	s := &Shape{Previous: e.Previous}
	if c.has("when") {
		var err error
		s.WhenText = strings.TrimSpace(e.When)
		if s.When, err = shape.Condition(e.When, names); err != nil {
			c.wrongWhen(err, names)
		}
	}
	if e.Previous && (rule.Action.Kind != Save || rule.Action.Entity.Custom) {
		c.faultf("previous", "is for saves of the plugin's objects only; remove it")
	}
	c.filter(e, s, rule, names)
	c.template(e, s, names)
	c.document(e, s, rule, names)
	if s.When != nil || s.Previous || s.Filter != nil || s.Template != nil || s.Document != nil {
		rule.Shape = s
	}
}

// wrongWhen reports what is wrong with a condition, in its own line of a block of several.
func (c check) wrongWhen(err error, names *shape.Names) {
	line := 1
	if wrong, ok := errors.AsType[*shape.ExpressionError](err); ok {
		line = wrong.Line
	}
	key := c.key + ".when"
	c.src.FaultAt(c.src.LineOf(key, line), key, "%v", suggested(err, names))
}

// template checks what is posted in the payload's place, as JSON.
func (c check) template(e entry, s *Shape, names *shape.Names) {
	if e.Template.Node == nil {
		return
	}
	if len(e.Fields)+len(e.Redact) > 0 || e.Previous {
		c.faultf("template", "takes the payload's place, so fields, redact and previous do nothing beside it; remove one")
	}
	var err error
	if s.Template, err = shape.NewTemplate(e.Template.Node, names, e.Template.Expand); err != nil {
		c.placed(err, names)
	} else if s.Template.Written {
		c.src.Holds("")
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
				c.placedIn(path, err, names)
			} else if len(s.Document.Secrets) > 0 {
				c.src.Holds(path)
			}
		}
	}
	rule.Endpoint.ContentType = contentType
}

// placedIn reports the errors of a template_file, each with its own line.
func (c check) placedIn(path string, err error, names *shape.Names) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			c.placedIn(path, one, names)
		}
		return
	}
	if at, ok := errors.AsType[*shape.PlaceError](err); ok {
		c.src.FaultIn(path, at.Line, c.key+".template_file", "%v", suggested(at.Err, names))
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// placed reports the errors of a template, each with its own line.
func (c check) placed(err error, names *shape.Names) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			c.placed(one, names)
		}
		return
	}
	if at, ok := errors.AsType[*shape.PlaceError](err); ok {
		c.src.FaultAt(at.Line, c.key+".template"+at.Path, "%v", suggested(at.Err, names))
		return
	}
	c.faultf("template", "%v", err)
}

// suggested adds to the error of an expression the nearest name that there is to one that there is not.
func suggested(err error, names *shape.Names) error {
	wrong, ok := errors.AsType[*shape.ExpressionError](err)
	if !ok {
		return err
	}
	better := *wrong
	if name, is := strings.CutPrefix(wrong.Message, "unknown name "); is {
		better.Message += DidYouMean(name, []string{"before", "after", "payload", "event", "site"})
	} else if name, is := strings.CutPrefix(wrong.Message, "unknown field "); is {
		near := ""
		if known := names.Fields(); !slices.Contains(known, name) { // another value has one of that name
			near = DidYouMean(name, known)
		}
		if near == "" && names.Row != nil && len(names.Row) == 0 {
			near = "; what befalls rowhook itself has no row: name payload, such as payload.text, event or site"
		}
		better.Message += near
	}
	return &better
}
