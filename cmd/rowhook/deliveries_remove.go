package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rowhook/outbox"
)

// dropDeliveries is `rowhook deliveries drop`: what nobody wants any more goes, undelivered.
func (t *tree) dropDeliveries() *cobra.Command {
	c := &cobra.Command{
		Use: "drop [ID...]", Short: "remove deliveries for good",
		Long: "Removes deliveries for good: those that are named, or those that flags select; of these the dead and held ones, unless\n" +
			"--state says otherwise: fresh and waiting ones are then never sent. Delivered ones stay until keep.age.",
		Example: "  rowhook deliveries drop --state dead,held\n  rowhook deliveries drop --rule old-crm --state waiting",
	}
	return t.removes(c, removal{
		states: []outbox.State{outbox.Dead, outbox.Held},
		done:   func(n int) string { return fmt.Sprintf("%d removed", n) },
		call:   func(ctx context.Context, w changer, f outbox.Filter) (int, error) { return w.Drop(ctx, f) },
	})
}

// eraseDeliveries is `rowhook deliveries erase`: what a person's data were goes, and that there was a delivery stays.
func (t *tree) eraseDeliveries() *cobra.Command {
	c := &cobra.Command{
		Use: "erase [ID...]", Short: "erase the payloads of deliveries, and what receivers answered",
		Long: "Erases the payloads of deliveries and what receivers answered: of those that are named, or those that flags select.\n" +
			"That they were made and delivered stays on record. What is not delivered yet is left as it is.",
		Example: "  rowhook deliveries erase --entity customer --key 7",
	}
	return t.removes(c, removal{
		done: func(n int) string { return fmt.Sprintf("%d erased", n) },
		call: func(ctx context.Context, w changer, f outbox.Filter) (int, error) { return w.Erase(ctx, f) },
	})
}

// removal is a command that takes something out of the outbox.
type removal struct {
	states []outbox.State // that flags mean when they name none; nil: all
	done   func(n int) string
	call   func(ctx context.Context, w changer, f outbox.Filter) (int, error)
}

func (t *tree) removes(c *cobra.Command, r removal) *cobra.Command {
	asJSON := jsonFlag(c)
	s := t.newSelection(c, 0)
	return prints(c, 0, 1000, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		if (len(names) > 0) == s.given() {
			return &usageError{c.Name() + " takes ids, or flags that select deliveries", "try: " + c.CommandPath() + " -h"}
		}
		n, err := t.remove(ctx, names, s, r)
		switch {
		case err != nil:
			return err
		case *asJSON:
			return writeJSON(stdout, map[string]int{"deliveries": n})
		}
		_, err = fmt.Fprintln(stdout, r.done(n))
		return err
	})
}

// remove removes what ids or flags select, and says how many those were.
func (t *tree) remove(ctx context.Context, names []string, s *selection, r removal) (n int, err error) {
	c, err := loadState(ctx, t.config)
	if err != nil {
		return 0, err
	}
	filters, err := s.filters(c, names, r.states...)
	if err != nil {
		return 0, err
	}
	err = reach(ctx, c, t.config, func(w changer) error {
		for _, f := range filters {
			done, err := r.call(ctx, w, f)
			if n += done; err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
