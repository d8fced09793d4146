package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/config"
	"rowhook/printable"
	"rowhook/rules"
)

// rulesCommand is `rowhook rules`: it reads the configuration and the rule files as the daemon does, and needs neither
// the daemon nor the database.
func (t *tree) rulesCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "rules", Short: "validate, list or try the rules",
		Long: "Reads the configuration and the rule files as the daemon does. Needs neither the daemon nor the database, but to send a\nsample.",
	}
	return group(c, t.validateRules(), t.listRules(), t.sampleRule(), t.testRules(), t.explainRules())
}

func (t *tree) validateRules() *cobra.Command {
	c := &cobra.Command{
		Use: "validate", Short: "check the configuration and every rule file",
		Example: "  rowhook rules validate && systemctl reload rowhook",
	}
	o := newRuleOptions(c)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		c, err := loadNamed(ctx, t.config)
		switch {
		case err != nil && o.asJSON:
			return writeFaults(stdout, err)
		case err != nil:
			return err
		}
		return validateRules(c, t.config, o, stdout)
	})
}

func (t *tree) listRules() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "list the rules in the order of their files", Example: "  rowhook rules list --json"}
	o := newRuleOptions(c)
	return prints(c, 0, 0, func(_ context.Context, _ []string, stdout, _ io.Writer) error {
		c, err := config.Load(t.config)
		if err != nil {
			return err
		}
		return listRules(c, t.config, o, stdout)
	})
}

// ruleOptions is how rules are to be shown.
type ruleOptions struct{ asJSON, secrets bool }

func newRuleOptions(c *cobra.Command) *ruleOptions {
	o := &ruleOptions{}
	c.Flags().BoolVar(&o.asJSON, "json", false, "write JSON, for programs")
	c.Flags().BoolVar(&o.secrets, "show-secrets", false, "show urls whole, with the tokens that may be in them")
	return o
}

// readRules reads the rule files of a configuration; that there is none is an error.
func readRules(c *config.Config, file string) (*rules.Set, error) {
	set, err := rules.Read(c.Rules, c.HasSite)
	if err != nil {
		return nil, err
	}
	if len(set.Files) == 0 {
		return nil, config.Missing(file, "rules", "no file matches "+c.Rules+
			"; write one (rules.example/ has one for each action), or take the plugin's webhooks: rowhook import")
	}
	return set, nil
}

func validateRules(c *config.Config, file string, o *ruleOptions, w io.Writer) error {
	set, err := readRules(c, file)
	switch {
	case err != nil && o.asJSON:
		return writeFaults(w, err)
	case err != nil:
		return err
	case o.asJSON:
		return writeJSON(w, map[string]any{"valid": true, "rules": len(set.Rules), "files": set.Files, "warnings": warnings(set), "sources": append([]string{}, sources(c, set)...)})
	}
	if _, err := fmt.Fprintf(w, "%s: valid\n", countRules(set)); err != nil {
		return err
	}
	lines := sources(c, set)
	for _, warning := range warnings(set) {
		lines = append(lines, "warning: "+warning)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, printable.Line(line)); err != nil {
			return err
		}
	}
	return nil
}

// countRules says how many rules there are, in how many files.
func countRules(set *rules.Set) string {
	said := fmt.Sprintf("%s in %s", count(len(set.Rules), "rule"), count(len(set.Files), "file"))
	if disabled := len(set.Rules) - len(slices.Collect(set.Enabled())); disabled > 0 {
		said += fmt.Sprintf(", %d disabled", disabled)
	}
	return said
}

// warnings are what is allowed in rule files, and most likely not meant.
func warnings(set *rules.Set) []string {
	list := []string{}
	for _, file := range set.Empty {
		list = append(list, file+" has no rules; write them (rules.example/ has one for each action), or remove the file")
	}
	for r := range set.Enabled() {
		if !r.Action.IsKnown() {
			list = append(list, fmt.Sprintf("rule %s is for %s, which is no hook of the plugin that is known; see that its name is right, it may be another plugin's", r.Name, r.Action))
		}
		list = append(list, r.Doubts...)
	}
	if enabled := slices.Collect(set.Enabled()); len(set.Rules) > 0 && len(enabled) == 0 {
		list = append(list, "every rule is disabled, so nothing is posted; remove enabled: false where something shall be")
	}
	return list
}

// writeFaults writes the faults for programs and returns err, which sets the exit code.
func writeFaults(w io.Writer, err error) error {
	type fault struct {
		File    string `json:"file"`
		Line    int    `json:"line,omitempty"`
		Key     string `json:"key,omitempty"`
		Message string `json:"message"`
	}
	faults := []fault{}
	for _, e := range config.Errors(err) {
		faults = append(faults, fault{e.File, e.Line, e.Key, e.Message})
	}
	if failed := writeJSON(w, map[string]any{"valid": false, "errors": faults}); failed != nil {
		return failed
	}
	return err
}

// wanted is what a custom rule wants of its table.
func wanted(r *rules.Rule) string {
	switch r.Action.Kind {
	case rules.Rows:
		return strings.Join(api.Operations(r), ", ") + " of rows"
	case rules.Delete:
		return r.Action.Hook() + ", of each row that is deleted"
	case rules.Publish:
		return r.Action.Hook() + ", of each row of which nothing but published is changed"
	}
	return r.Action.Hook() + ", of rows that are written"
}

// sources says where the events of custom rules come from, a line each.
func sources(c *config.Config, set *rules.Set) (lines []string) {
	for r := range set.Enabled() {
		if !r.Action.Entity.Custom {
			continue
		}
		var tables []string
		var sites []*rules.Site
		for _, site := range sitesOf(c) {
			if r.For(site) {
				sites, tables = append(sites, site), append(tables, r.Action.Entity.TableOf(site).String())
			}
		}
		if r.Action.Entity.Relay {
			lines = append(lines, r.Name+": "+relaySource(r, sites))
			continue
		}
		if len(tables) == 0 { // the sites are not found yet
			tables = []string{r.Action.Entity.Table + " of each site that is found"}
		}
		lines = append(lines, fmt.Sprintf("%s: %s in table %s, from the binlog; rowhook check says whether it is there", r.Name, wanted(r), strings.Join(tables, ", ")))
	}
	return lines
}

func listRules(c *config.Config, file string, o *ruleOptions, w io.Writer) error {
	set, err := readRules(c, file)
	if err != nil {
		return err
	}
	list := make([]api.Rule, len(set.Rules))
	for i, r := range set.Rules {
		list[i] = api.NewRule(r, o.secrets)
	}
	if o.asJSON {
		return writeJSON(w, list)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tENABLED\tACTION\tTYPE\tSTATUSES\tLOAD\tSITES\tURL\tFILE")
	for _, l := range list {
		enabled := "yes"
		if !l.Enabled {
			enabled = "no"
		}
		row := []string{l.Name, enabled, l.Action, or(l.Type, or(strings.Join(l.On, ","), "-")), or(strings.Join(l.Statuses, ","), "all"), or(l.Load, "-"), or(strings.Join(l.Sites, ","), "all"), l.URL, l.Place}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// count is a number and its noun: "1 rule", "2 rules".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
