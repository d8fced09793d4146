package main

import (
	"context"
	"fmt"
	"io"

	"rowhook/outbox"
)

// dropDeliveries is `rowhook deliveries drop`: what nobody wants any more goes, undelivered.
func dropDeliveries(ctx context.Context, args []string, stdout io.Writer) error {
	return remove(ctx, args, stdout, removal{
		name: "drop", states: []outbox.State{outbox.Dead, outbox.Held},
		about: "removes deliveries for good: rowhook deliveries drop ID..., or those that flags select.\n" +
			"Dead and held ones, unless --state says otherwise: fresh and waiting ones are then never sent. Delivered ones stay until keep.age",
		done: func(n int) string { return fmt.Sprintf("%d removed", n) },
		call: func(ctx context.Context, w changer, f outbox.Filter) (int, error) { return w.Drop(ctx, f) },
	})
}

// eraseDeliveries is `rowhook deliveries erase`: what a person's data were goes, and that there was a delivery stays.
func eraseDeliveries(ctx context.Context, args []string, stdout io.Writer) error {
	return remove(ctx, args, stdout, removal{
		name: "erase",
		about: "erases the payloads of deliveries and what receivers answered: rowhook deliveries erase ID..., or those that flags select,\n" +
			"for example --entity customer --key 7. That they were made and delivered stays on record. What is not delivered yet is left as it is",
		done: func(n int) string { return fmt.Sprintf("%d erased", n) },
		call: func(ctx context.Context, w changer, f outbox.Filter) (int, error) { return w.Erase(ctx, f) },
	})
}

// removal is a command that takes something out of the outbox.
type removal struct {
	name, about string
	states      []outbox.State // that flags mean when they name none; nil: all
	done        func(n int) string
	call        func(ctx context.Context, w changer, f outbox.Filter) (int, error)
}

func remove(ctx context.Context, args []string, stdout io.Writer, r removal) error {
	flags := newFlagSet("deliveries "+r.name, r.about)
	asJSON := flags.Bool("json", false, "write JSON, for programs")
	s := newSelection(flags, 0)
	names, err := flags.parseNames(args, stdout, 0, 1000)
	if err != nil {
		return err
	}
	if (len(names) > 0) == s.given() {
		return &usageError{r.name + " takes ids, or flags that select deliveries", "try: rowhook deliveries " + r.name + " -h"}
	}
	c, err := loadState(flags.config)
	if err != nil {
		return err
	}
	filters, err := s.filters(c, names, r.states...)
	if err != nil {
		return err
	}
	n := 0
	err = reach(ctx, flags.config, func(w changer) error {
		for _, f := range filters {
			done, err := r.call(ctx, w, f)
			if n += done; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(stdout, map[string]int{"deliveries": n})
	}
	_, err = fmt.Fprintln(stdout, r.done(n))
	return err
}
