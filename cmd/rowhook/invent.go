package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rowhook/docs/schemas"
	"rowhook/rules"
	"rowhook/rules/shape"
)

// What is invented is what the plugin was recorded to post, as the examples in the schemas have it, so that expressions and receivers
// find in it what they will get: but for whoever could be meant, and for ids. What was not recorded is made up by its type and name.

// aMoment is when things are invented to be, as the database writes it and as Unix time.
const (
	aMoment     = "2026-03-01 10:00:00"
	aMomentUnix = 1772359200
	aStatus     = "C" // confirmed, as the plugin comes
)

// schema is as much of a JSON schema as those of the payloads use.
type schema struct {
	Type        types             `json:"type"`
	Properties  map[string]schema `json:"properties"`
	Items       *schema           `json:"items"`
	Description string            `json:"description"` // of a column: TABLE.COLUMN
	Format      string            `json:"format"`
	Const       any               `json:"const"`
	Enum        []any             `json:"enum"`
	Examples    []any             `json:"examples"`
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
	ours, fixed := inventOurs(key)
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case key == "status" && strings.HasSuffix(s.Description, ".status"):
		return aStatus
	case fixed && is("string"), fixed && len(s.Type) == 0 && !s.exampleIsNumber():
		return ours
	case len(s.Examples) > 0 && !fixed:
		return s.Examples[0]
	case len(s.Properties) > 0:
		object := make(map[string]any, len(s.Properties))
		for name, property := range s.Properties {
			object[name] = property.invent(name)
		}
		return object
	case is("number") || is("integer") || s.exampleIsNumber():
		return 12
	case is("object"):
		return map[string]any{}
	case is("array"):
		if s.Items == nil {
			return []any{}
		}
		return []any{s.Items.invent(key)}
	case s.Format == "date-time":
		return strings.Replace(aMoment, " ", "T", 1) + "Z"
	case is("string"), len(s.Type) == 0:
		table, column, _ := strings.Cut(s.Description, ".")
		return inventText(key, rules.MomentOf(table, column))
	case is("boolean"):
		return true
	}
	return nil
}

func (s *schema) exampleIsNumber() bool {
	if len(s.Examples) == 0 {
		return false
	}
	_, ok := s.Examples[0].(float64)
	return ok
}

// recordedColumns are examples of the columns of the plugin's tables that have an action of their own, by table.
var recordedColumns = sync.OnceValue(func() map[string]map[string]any {
	tables := map[string]map[string]any{}
	for _, a := range rules.Actions() {
		form := a.String() + "." + rules.Full.String()
		switch {
		case a.Kind == rules.StatusChange:
			form = a.String() + "." + rules.Basic.String()
		case a.Kind != rules.Save:
			continue
		}
		text, err := schemas.Read(form)
		var s schema
		if err != nil || json.Unmarshal(text, &s) != nil {
			continue // TestInventedColumns would see it
		}
		examples := map[string]any{}
		for name, property := range s.Properties {
			if len(property.Examples) > 0 {
				examples[name] = property.Examples[0]
			}
		}
		tables[a.Table()] = examples
	}
	return tables
})

// inventColumn is the text of a column, and what it is in expressions. A type is as MySQL names it; empty: it is not known.
func inventColumn(table, name string, kind shape.Type, of string) (text string, value any) {
	if of == "" {
		of = rules.MomentOf(table, name)
	}
	text, fixed := inventOurs(name)
	example, recorded := recordedColumns()[table][name]
	switch {
	case fixed && !slices.Contains(moments, of):
	case name == "status" && kind == shape.Text:
		text = aStatus
	case recorded:
		if text, recorded = example.(string); !recorded {
			b, _ := json.Marshal(example) // it was read from JSON
			text = string(b)
		}
	default:
		text = inventText(name, of)
	}
	switch kind {
	case shape.Int:
		n, err := strconv.Atoi(text)
		switch {
		case text == aMoment:
			n = aMomentUnix
		case err != nil:
			n = 12
		}
		return strconv.Itoa(n), n
	case shape.Float:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			text, f = "20.00", 20
		}
		return text, f
	}
	return text, text
}

// contains says whether a name has one of some parts.
func contains(name string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
}

// inventOurs is the text of a column or a field for which nothing that was recorded may stand. Nobody is called that, and the
// addresses are reserved for examples.
func inventOurs(key string) (string, bool) {
	switch {
	case contains(key, "mail"):
		return "sample@example.com", true
	case contains(key, "phone"):
		return "+1 555 0100", true
	case contains(key, "nominative", "name", "title", "description"):
		return "Sample", true
	case key == "id" || contains(key, "id_"):
		return "12", true
	}
	return "", false
}

// moments are the types of MySQL that hold a point in time.
var moments = []string{"date", "datetime", "time", "timestamp", "year"}

// inventText is a text that fits a column's type and its name.
func inventText(key, of string) string {
	day, hour, _ := strings.Cut(aMoment, " ")
	switch of {
	case "datetime", "timestamp":
		return aMoment
	case "date":
		return day
	case "time":
		return hour
	case "year":
		return day[:4]
	case "json":
		return "{}"
	}
	ours, fixed := inventOurs(key)
	switch {
	case fixed:
		return ours
	case key == "status":
		return aStatus
	case strings.HasSuffix(key, "_ts") || strings.HasSuffix(key, "_at") || contains(key, "createdon", "modifiedon", "_date", "registered"):
		return aMoment
	case contains(key, "custom_f", "json"):
		return "{}"
	case key == "ip":
		return "192.0.2.1" // reserved for examples
	case contains(key, "cost", "price", "total", "paid", "gross", "net", "tax"):
		return "20.00"
	case contains(key, "people", "duration"):
		return "12"
	}
	return ""
}
