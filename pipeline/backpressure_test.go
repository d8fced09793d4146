package pipeline

import (
	"testing"

	"rowhook/outbox"
)

func TestBackpressure(t *testing.T) {
	t.Parallel()
	const young, old = keepsUp / 2, 2 * keepsUp
	for name, c := range map[string]struct {
		due           map[string]outbox.Due
		crowded, calm bool // calm for endpoint "a"
	}{
		"nothing":                      {nil, false, true},
		"a few":                        {map[string]outbox.Due{"a": {Count: calmCount, Oldest: young}}, false, true},
		"more than a takes at once":    {map[string]outbox.Due{"a": {Count: calmCount + 1, Oldest: young}}, false, false},
		"another one is busy":          {map[string]outbox.Due{"b": {Count: aheadCount / 2, Oldest: young}}, false, false},
		"another one has enough":       {map[string]outbox.Due{"b": {Count: aheadCount, Oldest: young}}, true, false},
		"another one has large ones":   {map[string]outbox.Due{"b": {Count: 2, Bytes: aheadBytes, Oldest: young}}, true, true},
		"another one does not keep up": {map[string]outbox.Due{"b": {Count: 1_000_000, Bytes: 1 << 30, Oldest: old}}, false, true},
		"a does not keep up":           {map[string]outbox.Due{"a": {Count: aheadCount, Oldest: old}}, false, false},
		"a refuses some":               {map[string]outbox.Due{"a": {Count: calmRetries, Waiting: calmRetries, Oldest: old}}, false, true},
		"a refuses all":                {map[string]outbox.Due{"a": {Count: calmRetries + 1, Waiting: calmRetries + 1, Oldest: old}}, false, false},
		"one keeps up, one does not": {map[string]outbox.Due{
			"a": {Count: aheadCount, Oldest: young}, "b": {Count: aheadCount, Oldest: old},
		}, true, false},
	} {
		if got := isCrowded(c.due); got != c.crowded {
			t.Errorf("%s: crowded %v", name, got)
		}
		if got := isCalm(c.due, "a"); got != c.calm {
			t.Errorf("%s: calm %v", name, got)
		}
	}
}
