package web

import (
	"time"

	"rowhook/words"
)

// chart is bars of a day's hours, the oldest first.
type chart struct {
	Bars []bar
	Sum  int
	Most int
	When time.Time // of the highest
	Axis []time.Time
}

// bar is an hour's, in a picture of 240 by 72; the times are for who points at it.
type bar struct {
	X, Y, Height float64
	At           time.Time
	N            int
}

// chartHeight is the picture's, leastBar what still can be seen.
const chartHeight, leastBar = 72.0, 2.0

// newChart draws the numbers of hours, which is one bar each.
func newChart(hours []hour, of func(hour) int) chart {
	c := chart{Bars: make([]bar, 0, len(hours))}
	for _, h := range hours {
		if n := of(h); n > c.Most {
			c.Most, c.When = n, h.At
		}
	}
	for i, h := range hours {
		if i%6 == 0 {
			c.Axis = append(c.Axis, h.At)
		}
		n := of(h)
		c.Sum += n
		if n == 0 {
			continue
		}
		height := max(leastBar, float64(n)/float64(c.Most)*(chartHeight-4))
		c.Bars = append(c.Bars, bar{X: float64(i)*10 + 1, Y: chartHeight - height, Height: height, At: h.At, N: n})
	}
	return c
}

// label says what the picture shows.
func (c chart) label(word string) string {
	if c.Sum == 0 {
		return "None " + word + " in 24 hours."
	}
	return words.Number(c.Sum) + " " + word + " in 24 hours, at most " + words.Number(c.Most) + " at " + c.When.Format("15:04") + "."
}
