package rules

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"rowhook/rules/shape"
)

const (
	mostPaths   = 500
	longestPath = 500 // in bytes
)

// previousField is where a payload has the columns as they were, rowField where that of a table's row has them as they are; it shows
// some of them in the others, too.
const (
	previousField = "previous"
	rowField      = "data"
)

var rowFields = []string{"old", "key", "keys"}

// shape checks what a rule makes of its payload and fills it in. It stands behind filters: the action says which columns there are.
func (c check) shape(e entry, rule *Rule) {
	for _, key := range []string{"fields", "redact", "template", "template_file"} {
		if rule.Slack && c.has(key) {
			c.faultf(key, "makes a payload of its own, as format: slack does; remove one of them")
		}
	}
	s := &Shape{Previous: e.Previous}
	var columns shape.Columns
	if c.has("when") || c.has("template") || c.has("template_file") {
		columns = rule.Action.Columns()
	}
	if c.has("when") {
		var err error
		s.WhenText = strings.TrimSpace(e.When)
		if s.When, err = shape.Condition(e.When, columns); err != nil {
			c.wrongWhen(err, columns)
		}
	}
	if e.Previous && (rule.Action.Kind != Save || rule.Action.Entity.Custom) {
		c.faultf("previous", "is for saves of the plugin's objects only; remove it")
	}
	c.paths("fields", e.Fields)
	c.paths("redact", e.Redact)
	if len(e.Fields)+len(e.Redact) > 0 {
		s.Filter = shape.NewFilter(e.Fields, hidden(rule, e))
	}
	c.template(e, s, columns)
	c.document(e, s, rule, columns)
	if s.When != nil || s.Previous || s.Filter != nil || s.Template != nil || s.Document != nil {
		rule.Shape = s
	}
}

// hidden are the paths that a rule hides: what it names, and where else the payload shows the same column, as it was or as a key.
func hidden(rule *Rule, e entry) []string {
	paths := slices.Clone(e.Redact)
	for _, path := range e.Redact {
		if e.Previous {
			paths = append(paths, previousField+"."+path)
		}
		if below, ok := strings.CutPrefix(path+".", rowField+"."); ok && rule.Action.Kind == Rows {
			for _, other := range rowFields {
				paths = append(paths, strings.TrimSuffix(other+"."+below, "."))
			}
		}
	}
	return paths
}

// wrongWhen reports what is wrong with a condition, in its own line of a block of several.
func (c check) wrongWhen(err error, columns shape.Columns) {
	line := 1
	if wrong, ok := errors.AsType[*shape.ExpressionError](err); ok {
		line = wrong.Line
	}
	key := c.key + ".when"
	c.src.FaultAt(c.src.LineOf(key, line), key, "%v", suggested(err, columns))
}

// template checks what is posted in the payload's place, as JSON.
func (c check) template(e entry, s *Shape, columns shape.Columns) {
	if e.Template.Node == nil {
		return
	}
	if len(e.Fields)+len(e.Redact) > 0 || e.Previous {
		c.faultf("template", "takes the payload's place, so fields, redact and previous do nothing beside it; remove one")
	}
	var err error
	if s.Template, err = shape.NewTemplate(e.Template.Node, columns, e.Template.Expand); err != nil {
		c.placed(err, columns)
	}
}

// largestTemplate bounds a template_file, in bytes.
const largestTemplate = 64 << 10

// document checks what is posted in the payload's place, and is no JSON.
func (c check) document(e entry, s *Shape, rule *Rule, columns shape.Columns) {
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
			if s.Document, err = shape.NewDocument(text, contentType, columns); err != nil {
				c.placedIn(path, err, columns)
			}
		}
	}
	rule.Endpoint.ContentType = contentType
}

// placedIn reports the errors of a template_file, each with its own line.
func (c check) placedIn(path string, err error, columns shape.Columns) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			c.placedIn(path, one, columns)
		}
		return
	}
	if at, ok := errors.AsType[*shape.PlaceError](err); ok {
		c.src.FaultIn(path, at.Line, c.key+".template_file", "%v", suggested(at.Err, columns))
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
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
	if columns != nil && len(columns) == 0 && strings.HasPrefix(wrong.Message, "unknown field ") {
		better := *wrong
		better.Message += "; what befalls rowhook itself has no row: name payload, such as payload.text, event or site"
		return &better
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
