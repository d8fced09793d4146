package main

import "fmt"

// step is a change of a row: it becomes the n-th that was written, or is deleted.
type step struct {
	n              int
	insert, delete bool
}

// walk says what is wrong with what arrived of a row. Live is what the rule is told of as it happens; a save that is not
// live must show the row as it was between two of those.
func walk(written, arrived []step, inserts, wasThere, strict bool) string {
	live := func(s step) bool { return !inserts || s.insert || s.delete }
	at, saves, extra := -1, 0, 0 // at: the step that the receiver knows
	for _, a := range arrived {
		to := at
		if a.delete {
			for to++; to < len(written) && !written[to].delete; to++ {
			}
		} else {
			saves++
			for to = -1; a.n > 0; {
				if to++; to == len(written) || !written[to].delete && written[to].n == a.n {
					break
				}
			}
		}
		switch {
		case to == len(written):
			return fmt.Sprintf("%+v never happened", a)
		case to < at:
			return fmt.Sprintf("%+v is stale", a)
		case to == at || !live(written[to]):
			extra++
		}
		for i := at + 1; i < to; i++ {
			if live(written[i]) {
				return fmt.Sprintf("%+v overtook %+v", a, written[i])
			}
		}
		at = to
	}
	if strict && extra > 1 {
		return fmt.Sprintf("%d saves of one backfill", extra)
	}
	for _, s := range written[at+1:] {
		if live(s) {
			return fmt.Sprintf("%+v is lost", s)
		}
	}
	if exists := len(written) == 0 && wasThere || len(written) > 0 && !written[len(written)-1].delete; exists && saves == 0 {
		return "it was never heard of"
	}
	return ""
}
