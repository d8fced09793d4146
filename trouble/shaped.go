package trouble

import (
	"fmt"
	"time"

	"rowhook/outbox"
	"rowhook/rules"
	"rowhook/rules/shape"
)

// shaped makes of a delivery what its rule wants of it; false when the rule's condition does not hold. What cannot be made of this
// event is a delivery that is Unshaped, as with events of a site's data.
func shaped(d *outbox.Delivery, r *rules.Rule) bool {
	if r.Shape == nil {
		return true
	}
	v := &shape.Values{Site: d.Site, Event: map[string]any{
		"action": d.Action, "type": "", "status": "", "key": d.Keys[0], "changed": []string{},
		"time": d.Created.UTC().Format(time.RFC3339Nano), "seconds": int(d.Created.Unix()),
	}}
	body, holds, err := shapeBody(d.Body, r.Shape, v)
	if err != nil {
		d.Object, body = outbox.Unshaped, []byte(err.Error())
	}
	d.Body = body
	return holds || err != nil
}

func shapeBody(body []byte, s *rules.Shape, v *shape.Values) (_ []byte, holds bool, err error) {
	if v.Payload, err = shape.Payload(body); err != nil {
		return nil, false, err
	}
	if s.When != nil {
		if holds, err = s.When.Holds(v); err != nil {
			return nil, false, fmt.Errorf("when: %w", err)
		} else if !holds {
			return nil, false, nil
		}
	}
	body, err = s.Make(body, v)
	return body, true, err
}
