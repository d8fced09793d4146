package schema

import (
	"fmt"

	"rowhook/cdc/schema/ddl"
)

// shared are definitions, each of many tables: hundreds of sites have the same plugin, and memory is to hold what its tables are
// once. Definitions do not change once made, so tables may share them.
type shared map[string][]*ddl.Definition

// mostShared bounds how many are remembered. Who forgets them shares less, and that is all.
const mostShared = 512

// of is a definition that equals d: the one that another table has, if there is one.
func (s *shared) of(d *ddl.Definition) *ddl.Definition {
	if d == nil || len(d.Columns) == 0 {
		return d // no table's, or Gone, which is told by its address
	}
	key := fmt.Sprint(len(d.Columns), d.Columns[0].Name, d.Columns[len(d.Columns)-1].Name)
	for _, known := range (*s)[key] {
		if known.Equal(d) {
			return known
		}
	}
	if *s == nil || len(*s) >= mostShared || len((*s)[key]) >= mostShared {
		*s = shared{}
	}
	(*s)[key] = append((*s)[key], d)
	return d
}
