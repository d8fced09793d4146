package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rowhook/config"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/rules"
)

// selection is the flags that select deliveries.
type selection struct {
	flags  *pflag.FlagSet
	filter outbox.Filter
	object string // --key, when it is no more than an object's id
}

// stateNames are the states as a person writes them.
var stateNames = []string{outbox.Fresh.String(), outbox.Waiting.String(), outbox.Delivered.String(), outbox.Dead.String(), outbox.Held.String()}

// newSelection adds the flags to a command; limit is the default of --limit.
func (t *tree) newSelection(c *cobra.Command, limit int) *selection {
	f := c.Flags()
	s := &selection{flags: f}
	f.Func("rule", "only of these rules: `NAME`, or several with commas", func(text string) error {
		s.filter.Rules = append(s.filter.Rules, strings.Split(text, ",")...)
		return nil
	})
	f.Func("state", "only in these states (`STATE`): "+strings.Join(stateNames, ", ")+"; several with commas", s.states)
	f.Func("entity", "only of this `ENTITY`: "+strings.Join(entityNames(), ", ")+", or custom.TABLE", func(text string) error {
		if s.filter.Entity = text; !rules.IsEntity(text) {
			return fmt.Errorf("the entities are %s, and custom.TABLE", strings.Join(entityNames(), ", "))
		}
		return nil
	})
	f.Func("endpoint", "only to these endpoints: `NAME`, as rowhook endpoints list shows it, or several with commas", func(text string) error {
		for name := range strings.SplitSeq(text, ",") {
			s.filter.Endpoints = append(s.filter.Endpoints, deliver.EndpointName(name))
		}
		return nil
	})
	f.Func("key", "only about one object: `SITE/ENTITY/ID`, for example salon/appointment/12; with --entity the ID is enough where there is one site", func(text string) error {
		s.filter.Key, s.object = text, ""
		parts := strings.SplitN(text, "/", 3) // a key of text may hold anything
		if len(parts) == 1 && text != "" {
			s.filter.Key, s.object = "", text
			return nil
		}
		if len(parts) != 3 || !rules.IsEntity(parts[1]) {
			return errors.New("write SITE/ENTITY/ID, for example salon/appointment/12; the entities are " + strings.Join(entityNames(), ", ") + ", and custom.TABLE")
		}
		return nil
	})
	f.Func("id", "only the one with this `ID`, as in the header webhook-id", func(text string) error {
		id, err := parseID(text)
		s.filter.ID = &id
		return err
	})
	f.Func("since", "only those of changes committed at this `TIME` or later: 2h (ago), 2026-03-01, or 2026-03-01T12:30", timeFlag(&s.filter.Since))
	f.Func("until", "only those of changes committed before this `TIME`", timeFlag(&s.filter.Until))
	f.IntVar(&s.filter.Limit, "limit", limit, "no more than `N`; 0: all")
	t.complete(c, "rule", lists(t.ruleNames))
	t.complete(c, "state", lists(oneOf(stateNames...)))
	t.complete(c, "entity", oneOf(entityNames()...))
	t.complete(c, "endpoint", lists(t.endpointNames))
	return s
}

// complete turns an object's id alone into the key that it stands for.
func (s *selection) complete(c *config.Config) error {
	switch {
	case s.object == "":
		return nil
	case s.filter.Entity == "":
		return &usageError{fmt.Sprintf("--key %s does not say of what", s.object), "write --entity customer --key 7, or --key salon/customer/7"}
	case len(c.Sites) != 1:
		return &usageError{fmt.Sprintf("--key %s does not say of which site, and there are %d", s.object, len(c.Sites)),
			fmt.Sprintf("write --key %s/%s/%s", c.Sites[0].Name, s.filter.Entity, s.object)}
	}
	s.filter.Key, s.object = c.Sites[0].Name+"/"+s.filter.Entity+"/"+s.object, ""
	return nil
}

// filters are what ids and flags select; without ids it is what the flags do, in these states unless they say otherwise.
func (s *selection) filters(c *config.Config, ids []string, states ...outbox.State) ([]outbox.Filter, error) {
	if len(ids) == 0 {
		if err := s.complete(c); err != nil {
			return nil, err
		}
		if s.filter.States == nil && s.filter.ID == nil {
			s.filter.States = states
		}
		return []outbox.Filter{s.filter}, nil
	}
	filters := make([]outbox.Filter, 0, len(ids))
	for _, text := range ids {
		id, err := parseID(text)
		if err != nil {
			return nil, &usageError{err.Error(), "try: rowhook deliveries list"}
		}
		filters = append(filters, outbox.Filter{ID: &id})
	}
	return filters, nil
}

// entityNames are the entities as rules name them.
func entityNames() (names []string) {
	for _, a := range rules.Actions() {
		if !slices.Contains(names, a.Entity.Name) {
			names = append(names, a.Entity.Name)
		}
	}
	return names
}

// states reads --state.
func (s *selection) states(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		i := slices.Index(stateNames, name)
		if i < 0 {
			return fmt.Errorf("the states are %s", strings.Join(stateNames, ", "))
		}
		s.filter.States = append(s.filter.States, outbox.State(i))
	}
	return nil
}

// given tells whether something was said that selects; the limit does not.
func (s *selection) given() (given bool) {
	s.flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "rule", "state", "endpoint", "entity", "key", "id", "since", "until":
			given = true
		}
	})
	return given
}

// parseID reads the id of a delivery as receivers see it.
func parseID(text string) (id outbox.ID, err error) {
	raw, err := hex.DecodeString(strings.ToLower(text))
	if err != nil || len(raw) != len(id) {
		return id, fmt.Errorf("%q is no id of a delivery: 32 digits and letters from a to f, as in the header webhook-id", text)
	}
	return outbox.ID(raw), nil
}

// timeFlag reads a point in time, here and now: a duration is so long ago.
func timeFlag(into *time.Time) func(string) error {
	return func(text string) error {
		if ago, err := time.ParseDuration(text); err == nil {
			*into = time.Now().Add(-ago)
			return nil
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
			if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
				*into = at
				return nil
			}
		}
		return fmt.Errorf("%q is no time; write for example 2h (ago), 2026-03-01, or 2026-03-01T12:30", text)
	}
}
