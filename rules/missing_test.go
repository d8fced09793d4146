package rules

import "testing"

// TestRowsThatMayBeMissing: an expression about a row that an event has not is refused, unless it asks whether there is one, as who shares
// it between a save and a delete does.
func TestRowsThatMayBeMissing(t *testing.T) {
	t.Parallel()
	for expression, fine := range map[string]bool{
		`after.id == 7`:                           false,
		`before.id == 7`:                          true,
		`after?.id == nil`:                        true,
		`(after?.id ?? before?.id) == 7`:          true,
		`after != nil && after.id == 7`:           true,
		`event.type == "delete" || after.id == 7`: true,
		`before != nil && after.id == 7`:          false,
		`before?.id == 7 && after.code != "free"`: false,
	} {
		for what, text := range map[string]string{
			"when":     "  - {name: gone, action: coupon.delete, url: 'http://a.test/', when: '" + expression + "'}\n",
			"template": "  - {name: gone, action: coupon.delete, url: 'http://a.test/', template: {is: '= " + expression + "'}}\n",
		} {
			_, err := Parse("rules.yaml", []byte("rules:\n"+text), nil)
			if (err == nil) != fine {
				t.Errorf("%s %s: %v", what, expression, err)
			}
		}
	}
}
