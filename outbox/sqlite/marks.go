package sqlite

import "rowhook/outbox/marks"

// changes lists what turns the rows of before into those of after: the runs to write, and the first numbers of those
// that are no more.
func changes(before, after []marks.Run) (put []marks.Run, gone []int64) {
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].First < after[0].First:
			gone = append(gone, before[0].First)
			before = before[1:]
		case len(before) == 0 || after[0].First < before[0].First:
			put = append(put, after[0])
			after = after[1:]
		default:
			if before[0] != after[0] {
				put = append(put, after[0])
			}
			before, after = before[1:], after[1:]
		}
	}
	return put, gone
}
