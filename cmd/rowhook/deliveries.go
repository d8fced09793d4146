package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/config"
	"rowhook/outbox"
	"rowhook/printable"
)

// deliveriesCommand is `rowhook deliveries`: the delivery log. It works beside the daemon, and without it.
func (t *tree) deliveriesCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "deliveries", Short: "list, show, retry, drop, erase or export what was sent and what waits",
		Long: "Deliveries are what was sent to receivers, and what is still to be sent. All this works beside the daemon, and without it.",
	}
	return group(c, t.listDeliveries(), t.showDeliveries(), t.retryDeliveries(), t.dropDeliveries(), t.eraseDeliveries(), t.exportDeliveries())
}

// readLog reads the configuration and hands do the outbox, opened for reading.
func readLog(ctx context.Context, file string, do func(c *config.Config, log storedLog) error) error {
	c, err := loadState(ctx, file)
	if err != nil {
		return err
	}
	return withLog(ctx, c, func(log storedLog) error { return do(c, log) })
}

// withLog hands do the outbox, opened for reading.
func withLog(ctx context.Context, c *config.Config, do func(log storedLog) error) error {
	log, err := outboxOf(c).read(ctx)
	if errors.Is(err, outbox.ErrNotExist) {
		return noOutbox(c)
	}
	if err != nil {
		return err
	}
	return errors.Join(do(log), log.Close())
}

func (t *tree) listDeliveries() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "list deliveries, the newest first",
		Example: "  rowhook deliveries list --state waiting\n  rowhook deliveries list --key salon/appointment/12 --json",
	}
	asJSON := jsonFlag(cmd)
	s := t.newSelection(cmd, 50)
	return prints(cmd, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		s.filter.Newest = true
		return readLog(ctx, t.config, func(c *config.Config, log storedLog) error {
			if err := s.complete(c); err != nil {
				return err
			}
			if *asJSON {
				return listJSON(ctx, log, s.filter, stdout)
			}
			return listTable(ctx, log, s.filter, stdout)
		})
	})
}

func listTable(ctx context.Context, log storedLog, f outbox.Filter, stdout io.Writer) error {
	table := &columns{w: bufio.NewWriter(stdout)}
	n, err := pages(ctx, log, f, func(page []*outbox.Stored) error {
		if !table.begun() {
			table.add("ID", "CREATED", "RULE", "EVENT", "ABOUT", "STATE", "ATTEMPTS", "LAST")
		}
		for _, s := range page {
			d := api.NewDelivery(s)
			table.add(d.ID, clock(d.Created), d.Rule, d.Event, about(d.Keys), stateText(&d), strconv.Itoa(d.Attempts), lastText(&d))
		}
		return table.flush()
	})
	switch {
	case err != nil:
		return err
	case n == 0:
		_, err = fmt.Fprintln(stdout, "no such deliveries")
	case n == f.Limit:
		_, err = fmt.Fprintf(stdout, "These are the newest %d; --limit 0 lists all.\n", n)
	}
	return err
}

// listJSON writes one array.
func listJSON(ctx context.Context, log storedLog, f outbox.Filter, stdout io.Writer) error {
	out := bufio.NewWriter(stdout)
	before := "["
	_, err := pages(ctx, log, f, func(page []*outbox.Stored) error {
		for _, s := range page {
			text, err := encodeJSON(api.WithPayload(s), "  ", "  ")
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s\n  %s", before, text)
			before = ","
		}
		return out.Flush()
	})
	if err != nil {
		return err
	}
	end := "\n]\n"
	if before == "[" {
		end = "[]\n"
	}
	_, err = io.WriteString(stdout, end)
	return err
}

// about is what a delivery is about, cut when it is many.
func about(keys []string) string {
	const most = 3
	if len(keys) > most {
		return fmt.Sprintf("%s and %d more", printable.Line(strings.Join(keys[:most], " ")), len(keys)-most)
	}
	return printable.Line(strings.Join(keys, " "))
}

// stateText is a delivery's state for people.
func stateText(d *api.Delivery) string {
	text := d.State
	if d.State == outbox.Waiting.String() && d.Due.After(time.Now()) {
		text += " until " + clock(d.Due)
	}
	if !d.Retried.IsZero() {
		text += " (sent again by hand)"
	}
	return text
}

// lastText is what came of the last attempt, cut when it is long.
func lastText(d *api.Delivery) string {
	if d.Last == nil {
		return "-"
	}
	const most = 80
	text := []rune(attemptText(d.Last))
	if len(text) > most {
		text = append(text[:most], []rune("...")...)
	}
	return string(text)
}

// attemptText is what came of an attempt.
func attemptText(a *api.Attempt) string {
	return printable.Line(cmp.Or(a.Error, fmt.Sprintf("accepted with %d", a.Status)))
}

// clock is a time for people, in their time zone.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") } //nolint:gosmopolitan // for who sits here

func (t *tree) showDeliveries() *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Short: "show a delivery, its attempts and its payload",
		Example: "  rowhook deliveries show 3f0c6a0e9b1d4c5aa3c1e1a7c2d4f6b8",
	}
	asJSON := jsonFlag(c)
	return prints(c, 1, 1, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		id, err := parseID(names[0])
		if err != nil {
			return &usageError{err.Error(), "try: rowhook deliveries list"}
		}
		return readLog(ctx, t.config, func(c *config.Config, log storedLog) error {
			d, err := findDelivery(ctx, c, log, id)
			switch {
			case err != nil:
				return err
			case *asJSON:
				return writeJSON(stdout, d)
			}
			return writeDelivery(stdout, d)
		})
	})
}

// findDelivery reads all there is to know of a delivery.
func findDelivery(ctx context.Context, c *config.Config, log storedLog, id outbox.ID) (*api.Delivery, error) {
	found, err := log.List(ctx, outbox.Filter{ID: &id, Limit: 1, Bodies: true})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, notFound(id)
	}
	attempts, err := log.Attempts(ctx, found[0].Seq)
	if err != nil {
		return nil, err
	}
	d := api.WithPayload(found[0])
	for _, a := range attempts {
		d.Log = append(d.Log, api.NewAttempt(a))
	}
	if found[0].State.Undelivered() {
		d.Gates, err = gatesOf(ctx, c, log, found[0])
	}
	return &d, err
}

// gatesOf is what can hold a delivery, as far as that is known here.
func gatesOf(ctx context.Context, c *config.Config, log storedLog, d *outbox.Stored) ([]api.Gate, error) {
	behind, err := api.Behind(ctx, log, d)
	if err != nil {
		return nil, err
	}
	is, err := control.NewClient(c.StateDir).Daemon(ctx)
	if err != nil { // then nobody says how the endpoint does
		is = api.Status{}
	}
	return is.Gates(d, behind, time.Now()), nil
}

func notFound(id outbox.ID) error {
	return fmt.Errorf("%w: %s; it may have been delivered so long ago that the log forgot it", outbox.ErrNotFound, id)
}

// writeDelivery shows all there is to know, for people.
func writeDelivery(w io.Writer, d *api.Delivery) error {
	var b bytes.Buffer
	row := func(name, text string) { fmt.Fprintf(&b, "%-10s%s\n", name, text) }
	row("id", d.ID)
	row("rule", d.Rule)
	row("site", d.Site)
	row("event", fmt.Sprintf("%s (%s)", d.Event, d.Action))
	row("about", printable.Line(strings.Join(d.Keys, " ")))
	if d.Endpoint != "" {
		row("to", fmt.Sprintf("%s, number %d there", printable.Line(d.Endpoint), d.Number))
	}
	row("created", clock(d.Created))
	row("state", stateText(d))
	if why := api.Why(d.Gates); why != nil {
		row("waits", printable.Line(strings.TrimSpace(why.Text+" "+why.Behind)))
	}
	if !d.Retried.IsZero() {
		row("retried", clock(d.Retried)+", by hand; since then it is outside of the order")
	}
	switch d.Object {
	case "gone":
		row("object", "gone before it was loaded: the payload is the row of the event")
	case "closure":
		row("object", "a blocked time, which has nothing to extend: the payload is its row")
	case "partial":
		row("object", "cannot be read from the tables: the payload is what the log showed")
	}
	if len(d.Omitted) > 0 {
		row("omitted", printable.Line(strings.Join(d.Omitted, ", "))+": too large for max_payload, null in the payload")
	}
	row("attempts", fmt.Sprint(d.Attempts))
	if len(d.Log) == 0 && d.State == outbox.Delivered.String() {
		row("", "accepted at once, of which no more is kept")
	}
	for _, a := range d.Log {
		row("", fmt.Sprintf("%s  %s, after %v", clock(a.At), attemptText(&a), time.Duration(a.LatencyMS*float64(time.Millisecond)).Round(time.Millisecond/10)))
		for line := range strings.Lines(printable.Text(a.Response)) {
			row("", "  | "+strings.TrimSuffix(line, "\n"))
		}
	}
	if d.Erased {
		b.WriteString("payload   erased by hand\n")
		_, err := w.Write(b.Bytes())
		return err
	}
	b.WriteString("payload\n")
	b.WriteString(printable.Text(payloadText(d.Payload)) + "\n")
	_, err := w.Write(b.Bytes())
	return err
}

// payloadText is a payload for people; one that is no JSON stands in a JSON string.
func payloadText(payload []byte) string {
	var text string
	if json.Unmarshal(payload, &text) == nil {
		return text
	}
	var indented bytes.Buffer
	if json.Indent(&indented, payload, "", "  ") != nil {
		return string(payload)
	}
	return indented.String()
}
