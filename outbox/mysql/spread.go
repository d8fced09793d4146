package mysql

import (
	"maps"
	"slices"
)

// spread says how endpoints are shared out among processes, so that each has its part at most, rounded up, and as few as possible
// change hands. Has tells who has those that can stay, free are those that can be given away now; all counts those too that are on
// their way. It tells who is given which, and which are to be taken from who has them.
func spread(processes []string, all int, has map[int64]string, free []int64) (give map[int64]string, take []int64) {
	give = make(map[int64]string)
	if len(processes) == 0 {
		return give, nil
	}
	most := (all + len(processes) - 1) / len(processes)
	load := make(map[string]int, len(processes))
	for _, p := range processes {
		load[p] = 0
	}
	for _, endpoint := range slices.Sorted(maps.Keys(has)) {
		owner := has[endpoint]
		if n, in := load[owner]; in && n < most {
			load[owner]++
		} else {
			take = append(take, endpoint)
		}
	}
	for _, endpoint := range slices.Sorted(slices.Values(free)) {
		least := slices.MinFunc(processes, func(a, b string) int { return load[a] - load[b] })
		give[endpoint] = least
		load[least]++
	}
	return give, take
}
