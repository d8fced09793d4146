package loader

import "strings"

// label is what the plugin calls its own fields. Others are called what the site calls them.
func label(name string) string {
	switch name {
	case "CUSTOMF_NAME":
		return "First Name"
	case "CUSTOMF_LNAME":
		return "Last Name"
	case "CUSTOMF_EMAIL":
		return "E-mail"
	case "CUSTOMF_PHONE":
		return "Phone Number"
	}
	return name
}

// appendCustomFields appends fields, displayFields and hasFields.
func (o *orders) appendCustomFields(b []byte, text string) []byte {
	filled := decodePHP(text)
	fields, shown := node{array: true}, node{array: true}
	for i, name := range filled.keys {
		field := o.tables["custfields"].get(0, name)
		if field.missing() || field.text("type") == "checkbox" && field.text("required") == "1" {
			continue
		}
		value := filled.values[i]
		fields.set(name, value)
		if !value.empty() {
			shown.set(o.label(field), display(value))
		}
	}
	b = fields.append(appendKey(b, "fields"))
	b = shown.append(appendKey(b, "displayFields"))
	b = appendKey(b, "hasFields")
	if len(shown.keys) > 0 {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// label is what the site shows as a field's name.
func (o *orders) label(field record) string {
	if t := o.tables["lang_customf"].get(field.id("id"), o.language).text("name"); t != "" {
		return t
	}
	return label(field.text("name"))
}

// display is a value as it is shown: several in a row.
func display(value node) node {
	if !value.array {
		return value
	}
	texts := make([]string, len(value.values))
	for i, v := range value.values {
		texts[i] = v.text
	}
	text := strings.Join(texts, ", ")
	return node{scalar: string(appendString(nil, text)), text: text}
}

// appendAttendees appends the people who come along: those of whom something is known, under the numbers that they
// have, and what is shown of them, which is the fields that are asked of everybody.
func (o *orders) appendAttendees(b []byte, text string) []byte {
	all := decodePHP(text)
	known := node{array: true}
	for i, key := range all.keys {
		attendee := all.values[i]
		fields, _ := attendee.get("fields")
		shown, blank := node{array: true}, true
		for j, name := range fields.keys {
			value := fields.values[j]
			if value.empty() {
				continue
			}
			blank = false
			if field := o.tables["custfields"].get(0, name); field.text("repeat") == "1" {
				shown.set(o.label(field), display(value))
			}
		}
		if blank {
			continue
		}
		attendee.set("display", shown)
		known.set(key, attendee)
	}
	return known.append(b)
}
