package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/config"
	"rowhook/deliver"
	"rowhook/printable"
	"rowhook/rules"
	"rowhook/weburl"
)

// endpointsCommand is `rowhook endpoints`: where deliveries go, and whether they may.
func (t *tree) endpointsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "endpoints", Short: "list, pause or resume the receivers",
		Long: "An endpoint is a receiver's host, or the rules with the same order_group: what is in order among itself.",
	}
	return group(c, t.listEndpoints(), t.pauseEndpoint(), t.resumeEndpoint())
}

func (t *tree) pauseEndpoint() *cobra.Command {
	c := &cobra.Command{
		Use: "pause NAME", Short: "stop sending to an endpoint, or to one URL of it, until it is resumed",
		Long:              "Stops sending to an endpoint, or to one URL of it, until it is resumed. Deliveries wait on disk meanwhile, and do not\ngrow old.",
		Example:           "  rowhook endpoints pause https://crm.example.com --reason \"they move\"",
		ValidArgsFunction: firstName(t.endpointNames),
	}
	reason := c.Flags().String("reason", "by hand", "`WHY`, for who looks later")
	asJSON := jsonFlag(c)
	return prints(c, 1, 1, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		c, err := loadState(ctx, t.config)
		if err != nil {
			return err
		}
		err = reach(ctx, c, t.config, func(w changer) error { return known(w.Pause(ctx, names[0], *reason)) })
		if err != nil {
			return err
		}
		name := named(c, t.config, names[0])
		if *asJSON {
			return writeJSON(stdout, api.EndpointChange{Endpoint: name, Paused: true})
		}
		_, err = fmt.Fprintf(stdout, "%s is paused; to go on: rowhook endpoints resume %s\n", name, name)
		return err
	})
}

func (t *tree) resumeEndpoint() *cobra.Command {
	c := &cobra.Command{
		Use: "resume NAME", Short: "go on sending to an endpoint and all its URLs, or to one URL",
		Example:           "  rowhook endpoints resume https://crm.example.com",
		ValidArgsFunction: firstName(t.endpointNames),
	}
	asJSON := jsonFlag(c)
	return prints(c, 1, 1, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		c, err := loadState(ctx, t.config)
		if err != nil {
			return err
		}
		err = reach(ctx, c, t.config, func(w changer) error { return known(w.Resume(ctx, names[0])) })
		if err != nil {
			return err
		}
		name := named(c, t.config, names[0])
		if *asJSON {
			return writeJSON(stdout, api.EndpointChange{Endpoint: name, Paused: false})
		}
		_, err = fmt.Fprintf(stdout, "%s goes on; what waited is due at once\n", name)
		return err
	})
}

// named is what a name means: a URL of a rule, or an endpoint.
func named(c *config.Config, file, name string) string {
	if set, err := readRules(c, file); err == nil {
		normal, _ := weburl.Normalize(name)
		for _, e := range endpointsOf(c, set) {
			if e.URL == normal && name != deliver.EndpointName(name) {
				return name
			}
		}
	}
	return deliver.EndpointName(name)
}

// known says where names are found when one is not.
func known(err error) error {
	if errors.Is(err, deliver.ErrNoEndpoint) {
		return fmt.Errorf("%w; rowhook endpoints list shows all", err)
	}
	return err
}

// endpointList is the answer of `endpoints list`, for people.
type endpointList struct {
	api.EndpointList
	disabled map[string]bool // rules
}

func (t *tree) listEndpoints() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "list where deliveries go, and how that goes", Example: "  rowhook endpoints list --json"}
	asJSON := jsonFlag(cmd)
	return prints(cmd, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		return readLog(ctx, t.config, func(c *config.Config, log storedLog) error {
			set, err := readRules(c, t.config)
			if err != nil {
				return err
			}
			list, err := gatherEndpoints(ctx, c, set, log)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(stdout, list)
			}
			return list.write(stdout)
		})
	})
}

// gatherEndpoints puts together what the rules, the outbox and the daemon know.
func gatherEndpoints(ctx context.Context, c *config.Config, set *rules.Set, log storedLog) (endpointList, error) {
	list := endpointList{disabled: make(map[string]bool)}
	var order []string
	for _, r := range set.Rules {
		order = append(order, r.Name)
		list.disabled[r.Name] = r.Disabled
	}
	status, err := control.NewClient(c.StateDir).Status(ctx)
	runs := err == nil
	if !runs && !errors.Is(err, control.ErrNoDaemon) {
		return list, err
	}
	list.EndpointList, err = api.ReadEndpoints(ctx, log, order, endpointsOf(c, set), status.Endpoints)
	list.Daemon = runs
	if err == nil && !runs {
		list.Holder, err = holderOf(ctx, log)
	}
	return list, err
}

// urlState is what befell one URL.
func urlState(u deliver.URLStatus) string {
	switch {
	case u.Paused != nil:
		return fmt.Sprintf("paused since %s: %s", clock(u.Paused.Since), printable.Line(u.Paused.Reason))
	case !u.DownSince.IsZero():
		return "down since " + clock(u.DownSince)
	}
	return "up"
}

func (list *endpointList) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	shared := slices.ContainsFunc(list.Endpoints, func(e *api.Endpoint) bool { return e.Machine != "" })
	machine := func(name string) string {
		if shared {
			return "\t" + printable.Line(name)
		}
		return ""
	}
	fmt.Fprintln(table, "ENDPOINT\tRULES\tSTATE\tWAITING\tOLDEST\tDEAD\tLAST ERROR"+machine("MACHINE"))
	for _, e := range list.Endpoints {
		state, oldest := "up", "-"
		switch {
		case e.Paused != nil:
			state = fmt.Sprintf("paused since %s: %s", clock(e.Paused.Since), printable.Line(e.Paused.Reason))
		case !e.DownSince.IsZero():
			state = "down since " + clock(e.DownSince)
		case !list.Daemon:
			state = notHere(list.Holder)
		case e.Silent && e.Machine == "":
			state = "nobody's yet"
		case e.Silent:
			state = "not known: its machine does not answer"
		}
		if !e.Oldest.IsZero() {
			oldest = clock(e.Oldest)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%d\t%s%s\n", e.Name, few(e.Rules), state, e.Waiting, oldest, e.Dead, or(printable.Line(e.LastError), "-"), machine(or(e.Machine, "-")))
		for _, u := range e.URLs {
			fmt.Fprintf(table, "  %s\t%s\t%s\t\t\t\t\n", printable.Line(u.URL), few(u.Rules), urlState(u))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, rule := range slices.Sorted(maps.Keys(list.Held)) {
		why := "gone"
		if list.disabled[rule] {
			why = "disabled"
		}
		_, err := fmt.Fprintf(w, "held, for rule %s is %s: %d; to see them: rowhook deliveries list --state fresh,waiting,dead,held --rule %s\n", rule, why, list.Held[rule], rule)
		if err != nil {
			return err
		}
	}
	return nil
}
