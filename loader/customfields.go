package loader

import (
	"strconv"

	"rowhook/loader/render"
)

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

// customFields are the site's custom fields for orders, as its language has them.
func (s *lookupSet) customFields() render.Fields {
	var fields render.Fields
	for _, r := range s.tables["custfields"].rows[rowKey{}] {
		id := r.id("id")
		translation := s.tables["lang_customf"].get(id, s.language)
		f := render.Field{
			Name: r.text("name"), Label: label(r.text("name")), Type: r.text("type"),
			Choose: r.text("choose"), Chosen: translation.text("choose"),
			Required: render.True(r.text("required")), Repeat: render.True(r.text("repeat")), Employee: r.id("id_employee"),
		}
		if name := translation.text("name"); name != "" {
			f.Label = name
		}
		for _, assoc := range s.tables["cf_service_assoc"].rows[rowKey{id: id}] {
			f.Services = append(f.Services, assoc.id("id_service"))
		}
		fields = append(fields, f)
	}
	return fields
}

// fieldsOf are the custom fields that count for an order of these appointments; a package order has none.
func (s *lookupSet) fieldsOf(appointments []record) render.Fields {
	var services []int64
	employee := int64(0)
	for i, a := range appointments {
		services = append(services, a.id("id_service"))
		switch id := a.id("id_employee"); {
		case i == 0:
			employee = id
		case id != employee:
			employee = 0
		}
	}
	return s.fields.Of(services, employee)
}

// appendCustomFields appends fields, displayFields and hasFields.
func appendCustomFields(b []byte, fields render.Fields, stored string) []byte {
	values, display := fields.Show(render.Decode(stored))
	b = values.Append(appendKey(b, "fields"))
	b = display.Append(appendKey(b, "displayFields"))
	return strconv.AppendBool(appendKey(b, "hasFields"), display.Len() > 0)
}
