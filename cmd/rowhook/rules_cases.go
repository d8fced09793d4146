package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rowhook/loader"
	"rowhook/rules"
	"rowhook/trial"
)

// testRules is `rowhook rules test`: cases that people keep beside their rules.
func (t *tree) testRules() *cobra.Command {
	c := &cobra.Command{
		Use: "test", Short: "try the rules on events that are written down",
		Long: "Reads cases, each an event as a person writes it down and the rules that it should fire, and says which do. Needs neither\n" +
			"the daemon nor the database.",
		Example: "  rowhook rules test --case cases.yaml",
	}
	file := c.Flags().String("case", "", "the `FILE` of the cases")
	_ = c.MarkFlagRequired("case")
	asJSON := jsonFlag(c)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		c, err := loadNamed(ctx, t.config)
		if err != nil {
			return err
		}
		set, err := readRules(c, t.config)
		if err != nil {
			return err
		}
		cases, err := trial.Read(*file, set, func(name string) *rules.Site { return siteOf(c, name) })
		if err != nil {
			return err
		}
		return runCases(cases, trial.New(set, loader.Options{Plugin: c.Fidelity == plugin, MaxPayload: int(c.MaxPayload)}), *asJSON, stdout)
	})
}

// tried is what came of a case.
type tried struct {
	Name   string   `json:"name"`
	OK     bool     `json:"ok"`
	Faults []string `json:"faults,omitempty"`
}

// runCases tries cases and writes what came of them.
func runCases(cases []trial.Case, t *trial.Trial, asJSON bool, w io.Writer) error {
	failed := 0
	var err error
	for i := range cases {
		o := t.Run(&cases[i])
		word := "ok  "
		if len(o.Faults) > 0 {
			word = "FAIL"
			failed++
		}
		if asJSON {
			err = errors.Join(err, writeJSONLine(w, tried{cases[i].Name, len(o.Faults) == 0, o.Faults}))
			continue
		}
		_, wrote := fmt.Fprintf(w, "%s  %s\n", word, cases[i].Name)
		err = errors.Join(err, wrote)
		for _, f := range o.Faults {
			_, wrote := fmt.Fprintf(w, "      %s\n", f)
			err = errors.Join(err, wrote)
		}
	}
	if failed > 0 {
		return errors.Join(err, fmt.Errorf("%d of %d cases are not as they should be", failed, len(cases)))
	}
	return err
}
