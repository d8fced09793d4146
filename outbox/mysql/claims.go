package mysql

// maxClaims is of how many deliveries, twice at most, it is remembered where they lie.
const maxClaims = 1 << 15

// claims remember where deliveries lie that were claimed of late. What is forgotten is asked of the server.
type claims struct{ young, old map[int64]place }

func newClaims() claims { return claims{young: make(map[int64]place)} }

func (c *claims) add(seq int64, at place) {
	if len(c.young) >= maxClaims {
		c.young, c.old = make(map[int64]place), c.young
	}
	c.young[seq] = at
}

func (c *claims) at(seq int64) (place, bool) {
	if at, ok := c.young[seq]; ok {
		return at, true
	}
	at, ok := c.old[seq]
	return at, ok
}
