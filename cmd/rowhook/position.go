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

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/cdc"
	"rowhook/config"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
)

// positionCommand is `rowhook position`: where the daemon goes on in the server's log.
func (t *tree) positionCommand() *cobra.Command {
	c := &cobra.Command{Use: "position", Short: "show where the daemon goes on in the log, or set it"}
	return group(c, t.showPosition(), t.setPosition())
}

// observe opens the server for looking at what rules want, beside the daemon, and hands it to do.
func observe(ctx context.Context, c *config.Config, set *rules.Set, log *slog.Logger, do func(*cdc.Source) error) error {
	server := serverOf(c.Database)
	db := server.Pool()
	defer db.Close()
	if err := presentSites(ctx, db, c); err != nil {
		return err
	}
	const least = 1 << 16 // smaller ids are those that people give
	cfg := sourceConfig(c, set, server, rand.Uint32()|least, log)
	cfg.Lookups = nil
	source, err := cdc.Open(ctx, db, cfg)
	if err != nil {
		return err
	}
	return errors.Join(do(source), source.Close())
}

// positionOrder is the command line of `rowhook position set`.
type positionOrder struct {
	now, yes    bool
	asJSON      bool
	gtids, file string
}

func (t *tree) setPosition() *cobra.Command {
	c := &cobra.Command{
		Use: "set", Short: "decide where the daemon goes on",
		Long: "Decides where the daemon goes on, which must not run meanwhile: --now, --gtid or --file. Events that are on their way\n" +
			"are kept. What is read from then on has new ids, also where it was read before.",
		Example: "  rowhook position set --now\n  rowhook position set --file binlog.000012:4",
	}
	var o positionOrder
	c.Flags().BoolVar(&o.now, "now", false, "behind everything that is committed: what was not read is skipped")
	c.Flags().StringVar(&o.gtids, "gtid", "", "behind all transactions of this `SET`")
	c.Flags().StringVar(&o.file, "file", "", "at this place of the log, `NAME:OFFSET`, where a transaction must begin")
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&o.asJSON, "json", false, "write JSON, for programs, which say --yes")
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		at, err := o.point()
		if err != nil {
			return err
		}
		return t.decide(ctx, at, o, stdout)
	})
}

// point is the place that was asked for.
func (o positionOrder) point() (cdc.Point, error) {
	at, given := cdc.Point{End: o.now, GTIDs: o.gtids}, 0
	for _, said := range []bool{o.now, o.gtids != "", o.file != ""} {
		if said {
			given++
		}
	}
	if o.file != "" {
		var ok bool
		if at.Coord, ok = parseCoord(o.file); !ok {
			return at, &usageError{fmt.Sprintf("%q is no place of the log; write for example binlog.000012:4", o.file), "try: rowhook position set -h"}
		}
	}
	if given != 1 {
		return at, &usageError{"position set takes one of --now, --gtid and --file", "try: rowhook position set -h"}
	}
	if !o.yes && (o.asJSON || !isTerminal(os.Stdin)) {
		return at, &usageError{"position set asks before it changes anything, and nobody is here to answer", "programs say --yes"}
	}
	return at, nil
}

// decide sets the position, unless a person does not agree.
func (t *tree) decide(ctx context.Context, at cdc.Point, o positionOrder, stdout io.Writer) error {
	c, err := loadState(ctx, t.config)
	if err != nil {
		return err
	}
	store, err := outboxOf(c).open(ctx, slog.New(slog.DiscardHandler))
	if errors.Is(err, outbox.ErrLocked) {
		return fmt.Errorf("the daemon runs; stop it first: %w", err)
	}
	if err != nil {
		return err
	}
	agreed := func() (bool, error) {
		if o.yes {
			return true, nil
		}
		return confirm(os.Stdin, stdout)
	}
	said := stdout
	if o.asJSON {
		said = io.Discard
	}
	var decided api.PositionChange
	err = observe(ctx, c, &rules.Set{}, slog.New(slog.DiscardHandler), func(source *cdc.Source) (err error) {
		decided, err = decidePosition(ctx, source, store, at, said, agreed)
		return err
	})
	if err = errors.Join(err, store.Close()); err != nil || !o.asJSON {
		return err
	}
	return writeJSON(stdout, decided)
}

// decidePosition says what changes, and changes it when that is agreed.
func decidePosition(ctx context.Context, source *cdc.Source, store outbox.Store, at cdc.Point, stdout io.Writer, agreed func() (bool, error)) (d api.PositionChange, err error) {
	stored, err := pipeline.ReadStored(ctx, store)
	if err != nil {
		return d, err
	}
	if d.New, err = source.PositionAt(ctx, at); err != nil {
		return d, err
	}
	standing, err := source.Standing(ctx, d.New)
	if err != nil {
		return d, fmt.Errorf("the server does not go on from %s: %w", d.New, err)
	}
	d.Behind = standing.Behind
	old := "none"
	if stored != nil {
		d.Old, d.Events = &stored.Position, stored.Events
		old = stored.Position.String()
	}
	_, err = fmt.Fprintf(stdout, "stored  %s\nnew     %s\n        %s of log will be read; %s on their way are kept\n",
		old, d.New, size(d.Behind), count(d.Events, "event"))
	if err != nil {
		return d, err
	}
	switch ok, err := agreed(); {
	case err != nil:
		return d, err
	case !ok:
		return d, errors.New("nothing is changed")
	}
	if err := renewPosition(ctx, store, d.New); err != nil {
		return d, err
	}
	_, err = fmt.Fprintln(stdout, "the position is set; the next start of the daemon goes on from there")
	return d, err
}

// renewPosition has the daemon go on elsewhere, under another source id: what is read then never has old ids.
func renewPosition(ctx context.Context, store outbox.Store, next cdc.Position) error {
	id, err := store.Get(ctx, sourceIDKey)
	if err == nil {
		err = store.CompareAndSet(ctx, sourceIDKey, id, newSourceID())
	}
	if err != nil {
		return fmt.Errorf("renewing the source id: %w", err)
	}
	return pipeline.SetPosition(ctx, store, next)
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

func (t *tree) showPosition() *cobra.Command {
	c := &cobra.Command{
		Use: "show", Short: "show where the daemon goes on, and whether the server still has what comes then",
		Example: "  rowhook position show --json",
	}
	asJSON := jsonFlag(c)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		return t.tellPosition(ctx, *asJSON, stdout)
	})
}

func (t *tree) tellPosition(ctx context.Context, asJSON bool, stdout io.Writer) error {
	return readLog(ctx, t.config, func(c *config.Config, log storedLog) error {
		stored, err := pipeline.ReadStored(ctx, log)
		if err != nil {
			return err
		}
		if stored == nil {
			return fmt.Errorf("%s holds no position: the daemon has not read anything yet", outboxOf(c).String())
		}
		shown := shownPosition{api.ShownPosition{Position: stored.Position, Events: stored.Events}}
		sites, err := gatherSites(ctx, c)
		if err != nil {
			return err
		}
		shown.Stopped = slices.DeleteFunc(sites.Sites, func(s pipeline.SiteStatus) bool { return s.Reason == "" })
		err = observe(ctx, c, &rules.Set{}, slog.New(slog.DiscardHandler), func(source *cdc.Source) error {
			shown.Server = source.Version()
			st, err := source.Standing(ctx, stored.Position)
			if err == nil {
				shown.Take(st)
				shown.LookForStopped(ctx, source)
			}
			return err
		})
		if err != nil {
			shown.Error = err.Error()
		}
		if asJSON {
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

// shownPosition is a position as `position show` writes it, for people.
type shownPosition struct{ api.ShownPosition }

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
