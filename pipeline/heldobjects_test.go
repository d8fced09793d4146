package pipeline

import "testing"

// TestHeldObjects: an event of several objects waits behind the earlier ones of each, whatever the order in which their
// reasons go, and holds back the later ones of each for as long as it waits itself; nothing waits behind a later one.
func TestHeldObjects(t *testing.T) {
	t.Parallel()
	a, b, both := []string{"a"}, []string{"b"}, []string{"a", "b"}
	denied, missing := &reason{}, &reason{}
	held := func() heldObjects {
		o := heldObjects{}
		o.add(a, 1, denied)
		o.add(b, 2, missing)
		o.add(both, 3, o.before(both, 3))
		o.add(b, 4, o.before(b, 4))
		return o
	}
	o := held()
	for name, c := range map[string]struct {
		releases []*reason
		keys     []string
		place    uint64
		want     *reason
	}{
		"both wait for the first's":                  {nil, both, 3, denied},
		"a later one of the second":                  {nil, b, 4, missing},
		"the first's is gone":                        {[]*reason{denied}, both, 3, missing},
		"the second's is gone, a later one":          {[]*reason{missing}, b, 4, denied},
		"the second's is gone, that which was first": {[]*reason{missing}, b, 2, nil},
		"the second's is gone, both":                 {[]*reason{missing}, both, 3, denied},
		"all are gone":                               {[]*reason{missing, denied}, both, 3, nil},
		"another object":                             {nil, []string{"c"}, 9, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := held()
			for _, why := range c.releases {
				o.release(why)
			}
			if got := o.before(c.keys, c.place); got != c.want {
				t.Errorf("%p, want %p", got, c.want)
			}
		})
	}
	if o.at("a", 3) != denied || o.at("b", 2) != missing || o.at("b", 9) != nil {
		t.Error("events are found under other reasons")
	}
	o.release(denied)
	o.release(missing)
	if len(o) > 0 {
		t.Errorf("objects stay: %v", o)
	}
}
