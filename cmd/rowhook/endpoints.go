package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"rowhook/config"
	"rowhook/deliver"
	"rowhook/deliver/control"
	"rowhook/outbox"
	"rowhook/outbox/sqlite"
	"rowhook/printable"
	"rowhook/rules"
)

// endpointsCommand is `rowhook endpoints`: where deliveries go, and whether they may.
func endpointsCommand(ctx context.Context, args []string, stdout, _ io.Writer) error {
	const hint = "try: rowhook endpoints list, pause NAME, or resume NAME"
	name, rest, err := subcommand("endpoints", hint, args, stdout)
	if err != nil {
		return err
	}
	switch name {
	case "list":
		return listEndpoints(ctx, rest, stdout)
	case "pause":
		return pauseEndpoint(ctx, rest, stdout)
	case "resume":
		return resumeEndpoint(ctx, rest, stdout)
	}
	return noSubcommand("endpoints", hint, name)
}

func pauseEndpoint(ctx context.Context, args []string, stdout io.Writer) error {
	flags := newFlagSet("endpoints pause", "stops sending to an endpoint until it is resumed: rowhook endpoints pause NAME.\n"+
		"Deliveries wait on disk meanwhile, and do not grow old")
	reason := flags.String("reason", "by hand", "`WHY`, for who looks later")
	names, err := flags.parseNames(args, stdout, 1, 1)
	if err != nil {
		return err
	}
	name := deliver.EndpointName(names[0])
	if err := reach(ctx, flags.config, func(w changer) error { return known(w.Pause(ctx, name, *reason)) }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s is paused; to go on: rowhook endpoints resume %s\n", name, name)
	return err
}

func resumeEndpoint(ctx context.Context, args []string, stdout io.Writer) error {
	flags := newFlagSet("endpoints resume", "goes on sending to an endpoint: rowhook endpoints resume NAME")
	names, err := flags.parseNames(args, stdout, 1, 1)
	if err != nil {
		return err
	}
	name := deliver.EndpointName(names[0])
	if err := reach(ctx, flags.config, func(w changer) error { return known(w.Resume(ctx, name)) }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s goes on; what waited is due at once\n", name)
	return err
}

// known says where names are found when one is not.
func known(err error) error {
	if errors.Is(err, deliver.ErrNoEndpoint) {
		return fmt.Errorf("%w; rowhook endpoints list shows all", err)
	}
	return err
}

// endpoint is one as `endpoints list` shows it.
type endpoint struct {
	Name        string         `json:"name"`
	Rules       []string       `json:"rules"`
	Paused      *deliver.Pause `json:"paused,omitempty"`
	DownSince   time.Time      `json:"down_since,omitzero"`
	LastSuccess time.Time      `json:"last_success,omitzero"` // of this run
	LastError   string         `json:"last_error,omitempty"`  // of this run
	Waiting     int            `json:"waiting"`               // not delivered yet
	Oldest      time.Time      `json:"oldest,omitzero"`       // of those that wait
	Dead        int            `json:"dead"`
}

// endpointList is the answer of `endpoints list`.
type endpointList struct {
	Daemon    bool           `json:"daemon"` // it runs; otherwise what is known of this run is missing
	Endpoints []*endpoint    `json:"endpoints"`
	Held      map[string]int `json:"held,omitempty"` // deliveries of rules that are gone or disabled, by rule
	disabled  map[string]bool
}

func listEndpoints(ctx context.Context, args []string, stdout io.Writer) error {
	flags := newFlagSet("endpoints list", "lists where deliveries go, and how that goes")
	asJSON := flags.Bool("json", false, "write JSON, for programs")
	if err := flags.parse(args, stdout); err != nil {
		return err
	}
	return readLog(ctx, flags.config, func(c *config.Config, log *sqlite.ReadOnly) error {
		set, err := readRules(c, flags.config)
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
}

// gatherEndpoints puts together what the rules, the outbox and the daemon know.
func gatherEndpoints(ctx context.Context, c *config.Config, set *rules.Set, log *sqlite.ReadOnly) (endpointList, error) {
	list := endpointList{Held: make(map[string]int), disabled: make(map[string]bool)}
	byName, byRule := make(map[string]*endpoint), make(map[string]*endpoint)
	for _, r := range set.Rules {
		if r.Disabled { // it has no endpoint; one that only such rules name is none
			list.disabled[r.Name] = true
			continue
		}
		name := endpointName(r)
		if byName[name] == nil {
			byName[name] = &endpoint{Name: name}
		}
		byName[name].Rules = append(byName[name].Rules, r.Name)
		byRule[r.Name] = byName[name]
	}
	pauses, err := deliver.Pauses(ctx, log)
	if err != nil {
		return list, err
	}
	for name, p := range pauses {
		if e := byName[name]; e != nil {
			e.Paused = p
		}
	}
	counts, err := log.Counts(ctx)
	if err != nil {
		return list, err
	}
	for _, n := range counts {
		list.count(n, byRule[n.Rule])
	}
	status, err := control.NewClient(c.StateDir).Status(ctx)
	if list.Daemon = err == nil; !list.Daemon && !errors.Is(err, control.ErrNoDaemon) {
		return list, err
	}
	for _, s := range status.Endpoints {
		if e := byName[s.Name]; e != nil {
			e.Paused, e.DownSince, e.LastSuccess, e.LastError = s.Paused, s.DownSince, s.LastSuccess, s.LastError
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list.Endpoints = append(list.Endpoints, byName[name])
	}
	return list, nil
}

// count adds deliveries to their endpoint, or to those that are held.
func (list *endpointList) count(n sqlite.Count, e *endpoint) {
	switch {
	case e == nil || n.State == outbox.Held:
		list.Held[n.Rule] += n.N
	case n.State == outbox.Dead:
		e.Dead += n.N
	default:
		e.Waiting += n.N
		if e.Oldest.IsZero() || n.Oldest.Before(e.Oldest) {
			e.Oldest = n.Oldest
		}
	}
}

func (list *endpointList) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ENDPOINT\tRULES\tSTATE\tWAITING\tOLDEST\tDEAD\tLAST ERROR")
	for _, e := range list.Endpoints {
		state, oldest := "up", "-"
		switch {
		case e.Paused != nil:
			state = fmt.Sprintf("paused since %s: %s", clock(e.Paused.Since), printable.Line(e.Paused.Reason))
		case !e.DownSince.IsZero():
			state = "down since " + clock(e.DownSince)
		case !list.Daemon:
			state = "no daemon runs"
		}
		if !e.Oldest.IsZero() {
			oldest = clock(e.Oldest)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%d\t%s\n", e.Name, few(e.Rules), state, e.Waiting, oldest, e.Dead, or(printable.Line(e.LastError), "-"))
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
