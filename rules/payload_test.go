package rules

import "testing"

// TestPayloads: of what each action posts, with each load, the fields are known.
func TestPayloads(t *testing.T) {
	t.Parallel()
	for _, a := range Actions() {
		loads := a.Entity.Loads
		if a.Kind == Delete {
			loads = []Load{0}
		}
		for _, load := range loads {
			r := &Rule{Action: a, Load: load}
			if found, _ := r.payload().Find([]string{"no_such_field"}); found != 0 || len(r.payload().Below()) == 0 {
				t.Errorf("of %s, %s, nobody knows the payload", a, load)
			}
		}
	}
}
