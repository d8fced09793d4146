package rules

import "rowhook/cdc"

// Unfiltered is a set whose rules want every event of their actions: it is for who wants to know why a rule does not.
func (s *Set) Unfiltered() *Set {
	all := &Set{Files: s.Files}
	for _, r := range s.Rules {
		u := *r
		u.Disabled, u.Type, u.Statuses, u.Sites = false, Both, nil, nil
		if u.Action.Kind == Rows {
			u.On = []cdc.Op{cdc.Insert, cdc.Update, cdc.Delete}
		}
		all.Rules = append(all.Rules, &u)
	}
	return all
}
