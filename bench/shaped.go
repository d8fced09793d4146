package main

import (
	"context"
	"fmt"
)

// leastShaped is how much of its events a second a drain must keep when its rule makes something of each payload.
const leastShaped = 0.8

// shaped drains a backlog with a plain rule and, by turns, with what rules can make of a payload.
func (b *bench) shaped(ctx context.Context) error {
	if _, err := b.backlog(ctx, b.changes); err != nil {
		return err
	}
	defer b.configure(b.sink.urls[:1], written{}) //nolint:errcheck // the next measurement would say
	shapes := []struct{ name, rule string }{
		{"plain", ""},
		{"when", `, when: "after.duration > 10 && before?.notes != after.notes"`},
		{"fields", `, fields: [id, checkin_ts, purchaser_nominative, purchaser_mail, total_cost, notes]`},
		{"template", `, template: {text: "= 'Booking ' + string(after.id)", who: "= payload.purchaser_nominative", notes: "= after.notes"}`},
	}
	ratios := make([][]float64, len(shapes))
	for range b.rounds {
		var plain float64
		for i, shape := range shapes {
			if err := b.configure(b.sink.urls[:1], written{rule: shape.rule}); err != nil {
				return err
			}
			if err := b.restore(); err != nil {
				return err
			}
			r, err := b.drain(ctx, shape.name, b.rowhookCommand())
			if err != nil {
				return err
			}
			if i == 0 {
				plain = r.wall.Seconds()
			}
			ratios[i] = append(ratios[i], plain/r.wall.Seconds())
		}
	}
	for i, shape := range shapes[1:] {
		b.figures = append(b.figures, figure{fmt.Sprintf("shaped: events a second with %s, by those without", shape.name), median(ratios[i+1]), leastShaped, "%.2fx", true})
	}
	return nil
}
