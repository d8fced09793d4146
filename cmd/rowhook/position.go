package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
)

// positionCommand is `rowhook position`: where the daemon goes on in the server's log.
func positionCommand(ctx context.Context, args []string, stdout, _ io.Writer) error {
	const hint = "try: rowhook position show, or rowhook position set"
	name, rest, err := subcommand("position", hint, args, stdout)
	if err != nil {
		return err
	}
	switch name {
	case "show":
		return showPosition(ctx, rest, stdout)
	case "set":
		return setPosition(ctx, rest, stdout)
	}
	return noSubcommand("position", hint, name)
}

// observe opens the server for looking at what rules want, beside the daemon, and hands it to do.
func observe(ctx context.Context, c *config.Config, set *rules.Set, log *slog.Logger, do func(*cdc.Source) error) error {
	server := serverOf(c.Database)
	db := server.Pool()
	defer db.Close()
	const least = 1 << 16 // smaller ids are those that people give
	cfg := sourceConfig(c, set, server, rand.Uint32()|least, log)
	cfg.Lookups = nil
	source, err := cdc.Open(ctx, db, cfg)
	if err != nil {
		return err
	}
	return errors.Join(do(source), source.Close())
}

func setPosition(ctx context.Context, args []string, stdout io.Writer) error {
	flags := newFlagSet("position set", "decides where the daemon goes on, which must not run meanwhile: --now, --gtid or --file.\n"+
		"Events that are on their way are kept. What is read from then on has new ids, also where it was read before")
	now := flags.Bool("now", false, "behind everything that is committed: what was not read is skipped")
	gtids := flags.String("gtid", "", "behind all transactions of this `SET`")
	file := flags.String("file", "", "at this place of the log, `NAME:OFFSET`, where a transaction must begin")
	yes := flags.Bool("yes", false, "do not ask")
	if err := flags.parse(args, stdout); err != nil {
		return err
	}
	at, given := cdc.Point{End: *now, GTIDs: *gtids}, 0
	for _, said := range []bool{*now, *gtids != "", *file != ""} {
		if said {
			given++
		}
	}
	if *file != "" {
		var ok bool
		if at.Coord, ok = parseCoord(*file); !ok {
			return &usageError{fmt.Sprintf("%q is no place of the log; write for example binlog.000012:4", *file), "try: rowhook position set -h"}
		}
	}
	if given != 1 {
		return &usageError{"position set takes one of --now, --gtid and --file", "try: rowhook position set -h"}
	}
	if !*yes && !isTerminal(os.Stdin) {
		return &usageError{"position set asks before it changes anything, and nobody is here to answer", "programs say --yes"}
	}
	c, err := loadState(flags.config)
	if err != nil {
		return err
	}
	store, err := openOutbox(ctx, c, slog.New(slog.DiscardHandler))
	if errors.Is(err, outbox.ErrLocked) {
		return fmt.Errorf("the daemon runs; stop it first: %w", err)
	}
	if err != nil {
		return err
	}
	agreed := func() (bool, error) {
		if *yes {
			return true, nil
		}
		return confirm(os.Stdin, stdout)
	}
	err = observe(ctx, c, &rules.Set{}, slog.New(slog.DiscardHandler), func(source *cdc.Source) error {
		return decidePosition(ctx, source, store, at, stdout, agreed)
	})
	return errors.Join(err, store.Close())
}

// decidePosition says what changes, and changes it when that is agreed.
func decidePosition(ctx context.Context, source *cdc.Source, store outbox.Store, at cdc.Point, stdout io.Writer, agreed func() (bool, error)) error {
	stored, err := pipeline.ReadStored(ctx, store)
	if err != nil {
		return err
	}
	next, err := source.PositionAt(ctx, at)
	if err != nil {
		return err
	}
	standing, err := source.Standing(ctx, next)
	if err != nil {
		return fmt.Errorf("the server does not go on from %s: %w", next, err)
	}
	old, events := "none", 0
	if stored != nil {
		old, events = stored.Position.String(), stored.Events
	}
	_, err = fmt.Fprintf(stdout, "stored  %s\nnew     %s\n        %s of log will be read; %s on their way are kept\n",
		old, next, size(standing.Behind), count(events, "event"))
	if err != nil {
		return err
	}
	switch ok, err := agreed(); {
	case err != nil:
		return err
	case !ok:
		return errors.New("nothing is changed")
	}
	id, err := store.Get(ctx, sourceIDKey)
	if err == nil {
		err = store.CompareAndSet(ctx, sourceIDKey, id, newSourceID()) // first: what is read then never has old ids
	}
	if err != nil {
		return fmt.Errorf("renewing the source id: %w", err)
	}
	if err := pipeline.SetPosition(ctx, store, next); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "the position is set; the next start of the daemon goes on from there")
	return err
}

// confirm asks whether to go on.
func confirm(in io.Reader, out io.Writer) (bool, error) {
	if _, err := fmt.Fprint(out, "Set this position? [y/N] "); err != nil {
		return false, err
	}
	answer, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// parseCoord reads NAME:OFFSET.
func parseCoord(text string) (cdc.Coord, bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 1 {
		return cdc.Coord{}, false
	}
	offset, err := strconv.ParseUint(text[i+1:], 10, 64)
	return cdc.Coord{File: text[:i], Offset: offset}, err == nil
}

// size is a number of bytes for people.
func size(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	for _, unit := range []string{"kB", "MB", "GB"} {
		if f /= 1000; f < 1000 {
			return fmt.Sprintf("%.1f %s", f, unit)
		}
	}
	return fmt.Sprintf("%.1f TB", f/1000)
}

func showPosition(ctx context.Context, args []string, stdout io.Writer) error {
	flags := newFlagSet("position show", "shows where the daemon goes on, and whether the server still has what comes then")
	asJSON := flags.Bool("json", false, "write JSON, for programs")
	if err := flags.parse(args, stdout); err != nil {
		return err
	}
	return readLog(ctx, flags.config, func(c *config.Config, log storedLog) error {
		stored, err := pipeline.ReadStored(ctx, log)
		if err != nil {
			return err
		}
		if stored == nil {
			return fmt.Errorf("%s holds no position: the daemon has not read anything yet", c.StateDir)
		}
		shown := shownPosition{Position: stored.Position, Events: stored.Events}
		sites, err := gatherSites(ctx, c)
		if err != nil {
			return err
		}
		shown.Stopped = slices.DeleteFunc(sites.Sites, func(s pipeline.SiteStatus) bool { return s.Reason == "" })
		err = observe(ctx, c, &rules.Set{}, slog.New(slog.DiscardHandler), func(source *cdc.Source) error {
			shown.Server = source.Version()
			st, err := source.Standing(ctx, stored.Position)
			if err == nil {
				shown.take(st)
				shown.lookForStopped(ctx, source)
			}
			return err
		})
		if err != nil {
			shown.Error = err.Error()
		}
		if *asJSON {
			err = writeJSON(stdout, shown)
		} else {
			err = shown.write(stdout)
		}
		if err == nil && shown.Error != "" {
			return errReported
		}
		return err
	})
}

// shownPosition is a position as `position show` writes it.
type shownPosition struct {
	Position  cdc.Position          `json:"position"`
	Events    int                   `json:"open_events"`
	Stopped   []pipeline.SiteStatus `json:"stopped_sites,omitempty"` // they are at positions of their own
	Server    string                `json:"server,omitempty"`
	Error     string                `json:"error,omitempty"` // why the daemon could not go on; then all that follows is missing
	End       *cdc.Coord            `json:"end,omitempty"`
	Behind    *uint64               `json:"behind_bytes,omitempty"`
	Verified  bool                  `json:"verified,omitempty"`
	Last      time.Time             `json:"last_committed,omitzero"`
	Retention float64               `json:"retention_seconds,omitempty"` // missing: until somebody removes it
	Hidden    bool                  `json:"retention_hidden,omitempty"`  // the hosting may remove it at any time, or does not show when
	Limit     uint64                `json:"limit_bytes,omitempty"`       // of all files: the oldest goes when they are larger
	Until     time.Time             `json:"kept_until,omitzero"`         // missing while the file is being written
}

// lookForStopped finds out how long the server keeps the log that stopped sites need. What it does not answer stays as the
// daemon last knew it.
func (p *shownPosition) lookForStopped(ctx context.Context, source *cdc.Source) {
	for _, s := range p.Stopped {
		if s.Stop == nil {
			continue
		}
		st, err := source.Standing(ctx, s.Stop.Position)
		if stop, ok := errors.AsType[*cdc.StopError](err); ok && stop.Gone {
			s.Stop.Kept = pipeline.LogKept{Missing: true}
		} else if err == nil {
			s.Stop.Kept = pipeline.KeptOf(st, time.Now())
		}
	}
}

func (p *shownPosition) take(st cdc.Standing) {
	p.End, p.Behind, p.Verified, p.Last = &st.End, &st.Behind, st.Verified, st.Last
	p.Retention, p.Hidden, p.Limit, p.Until = st.Retention.Seconds(), st.Hidden, st.Limit, st.Until
}

func (p *shownPosition) write(w io.Writer) (err error) {
	var b bytes.Buffer
	row := func(name, text string) { fmt.Fprintf(&b, "%-9s%s\n", name, text) }
	row("position", p.Position.String())
	row("events", count(p.Events, "event")+" on their way, not deliveries yet")
	if p.Server != "" {
		row("server", printable.Line(p.Server))
	}
	defer func() {
		for _, s := range p.Stopped {
			_, failed := io.WriteString(w, "site     "+explainSite(s))
			err = errors.Join(err, failed)
		}
	}()
	if p.Error != "" {
		row("error", printable.Line(p.Error))
		_, err := w.Write(b.Bytes())
		return err
	}
	if last := p.Position.Last; last != nil {
		said := "could not be verified: the server has removed it, but not what comes behind it"
		if p.Verified {
			said = "committed " + clock(p.Last) + "; read again, it is the same"
		}
		row("last", last.ID()+", "+said)
	}
	behind := "at the end of the log"
	if *p.Behind > 0 {
		behind = size(*p.Behind) + " behind the end of the log"
	}
	row("behind", fmt.Sprintf("%s, %s", behind, *p.End))
	row("log", p.kept())
	_, err = w.Write(b.Bytes())
	return err
}

// kept says how long what the daemon needs will be there.
func (p *shownPosition) kept() string {
	retention := time.Duration(p.Retention) * time.Second
	said := "is there; the server may remove it from " + clock(p.Until) + " on"
	switch {
	case p.Hidden:
		said = "is there; the hosting may remove it at any time, see rowhook check"
	case retention == 0:
		said = "is there; the server keeps it until somebody removes it"
	case p.Until.IsZero():
		said = "is there and being written; the server keeps a file for " + retention.String() + " after that"
	}
	if p.Limit > 0 {
		said += ", and no longer than all files together have less than " + size(p.Limit)
	}
	return said
}
