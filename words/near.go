package words

import "strings"

// longestName is how many letters a name has at most for which a nearest one is looked for.
const longestName = 64

// distance is how many letters to write, to drop or to change to make one word of the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// DidYouMean asks whether the nearest of some names is meant, behind a semicolon; it is empty when none is near.
func DidYouMean(name string, names []string) string {
	near := Nearest(name, names, len(name)/3+1)
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

// Nearest is the one of some names that differs in the fewest letters, and in less than a number; empty when there is none.
func Nearest(name string, names []string, least int) (near string) {
	if len(name) > longestName {
		return ""
	}
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < least {
			near, least = n, d
		}
	}
	return near
}
