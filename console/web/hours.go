package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"rowhook/outbox"
	"rowhook/words"
)

// hoursOfDay are how many bars a chart has.
const hoursOfDay = 24

// hours are what was counted in the last day, by endpoint. They know no request.
type hours struct {
	first time.Time // the oldest that a chart shows
	by    map[string][]outbox.Hour
}

func readHours(ctx context.Context, log Log, now time.Time) (*hours, error) {
	h := &hours{now.Truncate(time.Hour).Add(-(hoursOfDay - 1) * time.Hour), map[string][]outbox.Hour{}}
	list, err := log.Hours(ctx, "", h.first)
	for _, hour := range list {
		h.by[hour.Endpoint] = append(h.by[hour.Endpoint], hour)
	}
	return h, err
}

// besideWithin is how long a page waits for what was counted, which it shows beside. It goes without: whether all is well does not lie in the outbox.
const besideWithin = 500 * time.Millisecond

// hours are those of the last day, or why they are not shown. A user of some sites gets none: what an endpoint was sent is of all its
// sites together.
func (v *view) hours() (counted *hours, why string) {
	if !v.who.all() {
		return nil, ""
	}
	ctx, stop := context.WithTimeoutCause(v.q.Context(), besideWithin, errSilent)
	defer stop()
	log, err := v.c.open(ctx)
	if err == nil {
		counted, err = readHours(ctx, log, v.now)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errSilent
	}
	if err != nil {
		return nil, "What was counted by the hour cannot be shown: " + words.Sentence(err.Error())
	}
	return counted, ""
}

// place is which of the day's hours one is; false: none.
func (h *hours) place(of outbox.Hour) (int, bool) {
	i := int(of.Start.Sub(h.first) / time.Hour)
	return i, i >= 0 && i < hoursOfDay
}

// day is the last day of all endpoints.
func (h *hours) day() *day {
	d := &day{Hours: make([]hour, hoursOfDay)}
	for i := range d.Hours {
		d.Hours[i].At = h.first.Add(time.Duration(i) * time.Hour)
	}
	for _, list := range h.by {
		for _, of := range list {
			if i, ok := h.place(of); ok {
				d.Hours[i].Delivered += int(of.Delivered)
				d.Hours[i].Failed += int(of.Failed)
			}
		}
	}
	d.Delivered = newChart(d.Hours, func(h hour) int { return h.Delivered })
	d.Failed = newChart(d.Hours, func(h hour) int { return h.Failed })
	return d
}

// of is one endpoint's day, the newest hour first, without those in which nothing was tried.
func (h *hours) of(endpoint string) (list []hour) {
	var all [hoursOfDay]outbox.Tally
	for _, of := range h.by[endpoint] {
		if i, ok := h.place(of); ok {
			all[i] = all[i].Plus(of.Tally)
		}
	}
	for i, t := range slices.Backward(all[:]) {
		if t.Attempts() > 0 {
			list = append(list, hour{At: h.first.Add(time.Duration(i) * time.Hour), Delivered: int(t.Delivered), Failed: int(t.Failed), P50: t.Quantile(0.5), P95: t.Quantile(0.95)})
		}
	}
	return list
}

// spark is the success of an endpoint in the hours of a day.
type spark struct {
	Bars  template.HTML // rects
	Rate  string        // "99.2 %"; empty: nothing was tried
	Label string
	P95   time.Duration
}

// A bar is an hour in a picture of 96 by sparkHeight: as high as its success, and red when that was below wellFrom.
const wellFrom, sparkHeight = 0.95, 20

// spark draws what was counted of an endpoint.
func (h *hours) spark(endpoint string) spark {
	var hours [hoursOfDay]outbox.Tally
	var all outbox.Tally
	for _, of := range h.by[endpoint] {
		if i, ok := h.place(of); ok {
			hours[i], all = hours[i].Plus(of.Tally), all.Plus(of.Tally)
		}
	}
	var s spark
	var bars strings.Builder
	for i, t := range hours {
		class, height := "none", 2
		if n := t.Attempts(); n > 0 {
			part := float64(t.Delivered) / float64(n)
			if class = "ok"; part < wellFrom {
				class = "ko"
			}
			height = max(3, int(part*sparkHeight))
		}
		fmt.Fprintf(&bars, `<rect class="%s" x="%d" y="%d" width="3" height="%d"/>`, class, 4*i, sparkHeight-height, height)
	}
	s.Bars = template.HTML(bars.String()) // of numbers and our own words
	if n := all.Attempts(); n > 0 {
		s.Rate = percent(all.Delivered, n)
		s.P95 = all.Quantile(0.95)
		s.Label = fmt.Sprintf("%s of %s attempts in 24 hours succeeded", s.Rate, words.Number(int(n)))
	} else {
		s.Label = "nothing was tried in 24 hours"
	}
	return s
}

// percent is a part of a whole. Only all is 100 %.
func percent(part, whole int64) string {
	p := 100 * float64(part) / float64(whole)
	if part == whole {
		return "100\u00a0%"
	}
	return fmt.Sprintf("%.1f\u00a0%%", min(p, 99.9))
}
