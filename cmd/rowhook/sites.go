package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/cdc"
	"rowhook/config"
	"rowhook/outbox"
	"rowhook/pipeline"
	"rowhook/printable"
	"rowhook/rules"
)

// sitesCommand is `rowhook sites`: how each site stands, and the word that lets a stopped one go on.
func (t *tree) sitesCommand() *cobra.Command {
	c := &cobra.Command{Use: "sites", Short: "list the sites, or go on with a stopped one"}
	return group(c, t.listSites(), t.resumeSite())
}

// The routes of the daemon for this command.
const (
	sitesStatus = "sites/status"
	sitesResume = "sites/resume"
)

// resumeOrder is what `sites resume` asks the daemon for.
type resumeOrder struct {
	Site    string
	FromNow bool
}

// siteRoutes is what the daemon does for the command.
func (h *holder) siteRoutes() []control.Route {
	return []control.Route{
		control.Handle(sitesStatus, func(ctx context.Context, _ struct{}) ([]pipeline.SiteStatus, error) {
			line, err := h.following()
			if err != nil {
				return nil, err
			}
			return line.Sites(ctx)
		}),
		control.Handle(sitesResume, func(ctx context.Context, o resumeOrder) (struct{}, error) {
			line, err := h.following()
			if err != nil {
				return struct{}{}, err
			}
			return struct{}{}, line.ResumeSite(ctx, o.Site, o.FromNow)
		}),
	}
}

// siteList is the answer of `sites list`, for people.
type siteList struct{ api.SiteList }

func (t *tree) listSites() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "list the sites: which are read, which wait or are stopped, why, and how they go on",
		Example: "  rowhook sites list --json",
	}
	asJSON := jsonFlag(cmd)
	return prints(cmd, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		c, err := loadState(ctx, t.config)
		if err != nil {
			return err
		}
		list, err := gatherSites(ctx, c)
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(stdout, list)
		}
		return list.write(stdout)
	})
}

// gatherSites asks the daemon how the sites stand, or looks at what it stored when none runs.
func gatherSites(ctx context.Context, c *config.Config) (siteList, error) {
	sites, err := control.Ask[struct{}, []pipeline.SiteStatus](ctx, control.NewClient(c.StateDir), sitesStatus, struct{}{})
	waits := errors.Is(err, control.ErrNotYet)
	if err == nil || !waits && !errors.Is(err, control.ErrNoDaemon) {
		return siteList{api.SiteList{Daemon: true, Sites: sites}}, err
	}
	list := siteList{api.SiteList{Daemon: waits, Waits: waits}}
	if waits {
		is, err := control.NewClient(c.StateDir).Daemon(ctx)
		if err != nil {
			return list, err
		}
		list.Hindrance = is.Hindrance
	}
	err = withLog(ctx, c, func(log storedLog) (err error) {
		names := make([]string, len(c.Sites))
		for i, s := range c.Sites {
			names[i] = s.Name
		}
		list.Sites, err = api.ReadSites(ctx, log, names)
		if err == nil && !waits {
			list.Holder, err = holderOf(ctx, log)
		}
		return err
	})
	return list, err
}

func (list siteList) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SITE\tSTATE\tSINCE\tBEHIND\tEVENTS WAITING")
	for _, s := range list.Sites {
		state, since, behind := string(s.State), "-", "-"
		switch {
		case s.State != pipeline.SiteReading:
		case list.Waits:
			state = "not followed yet"
		case !list.Daemon:
			state = notHere(list.Holder)
		}
		if !s.Since.IsZero() {
			since = clock(s.Since)
		}
		if !s.Read.IsZero() {
			behind = time.Since(s.Read).Round(time.Second).String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\n", s.Name, state, since, behind, s.Events)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if h := list.Hindrance; h != nil {
		if _, err := fmt.Fprintf(w, "\nnot followed since %s: %s\n", clock(h.Since), printable.Line(h.Reason)); err != nil {
			return err
		}
	}
	for _, s := range list.Sites {
		if s.Reason == "" {
			continue
		}
		if _, err := io.WriteString(w, "\n"+explainSite(s)); err != nil {
			return err
		}
	}
	return nil
}

// explainSite is why a site does not get on, and every way out.
func explainSite(s pipeline.SiteStatus) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", s.Name, printable.Line(s.Reason))
	if stop := s.Stop; stop != nil {
		fmt.Fprintf(&b, "  stopped before transaction %s at %s; position %s\n", or(stop.Txn, "-"), stop.At, stop.Position)
		if warning := stop.Kept.Warning(time.Now()); warning != "" {
			fmt.Fprintf(&b, "  log:       %s\n", warning)
		}
	}
	if s.Fix != "" {
		fmt.Fprintf(&b, "  fix:       %s\n", printable.Line(s.Fix))
	}
	if len(s.Ways) > 0 {
		fmt.Fprintf(&b, "  to go on:  %s\n", strings.Join(s.Ways, "\n             "))
	}
	if s.Stop != nil {
		fmt.Fprintf(&b, "  what is left out then can be posted as it is now:  %s\n", api.MakeUp(&s))
	}
	return b.String()
}

func (t *tree) resumeSite() *cobra.Command {
	c := &cobra.Command{
		Use: "resume NAME", Short: "go on with a stopped site",
		Long: "Goes on with a stopped site. What the log does not show is left out: rows that a statement wrote, or an XA transaction\n" +
			"whose outcome is not known. All that the log shows is delivered, from where the site stopped.",
		Example:           "  rowhook sites resume salon",
		ValidArgsFunction: firstName(t.stoppedNames),
	}
	fromNow := c.Flags().Bool("from-now", false, "leave out everything that was not read while it was stopped")
	asJSON := jsonFlag(c)
	return prints(c, 1, 1, func(ctx context.Context, names []string, stdout, _ io.Writer) error {
		c, err := loadState(ctx, t.config)
		if err != nil {
			return err
		}
		if err := resume(ctx, c, names[0], *fromNow); err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(stdout, struct {
				Site    string `json:"site"`
				FromNow bool   `json:"from_now"`
			}{names[0], *fromNow})
		}
		_, err = fmt.Fprintf(stdout, "%s goes on; to see how far it is: rowhook sites list\n", names[0])
		return errors.Join(err, tellStillStopped(ctx, c, names[0], stdout))
	})
}

// tellStillStopped names the tables of a site that are stopped by themselves, which are to be decided apart.
func tellStillStopped(ctx context.Context, c *config.Config, name string, stdout io.Writer) error {
	list, err := gatherSites(ctx, c)
	for _, s := range list.Sites {
		if s.Apart() && s.Name != name && rules.SiteOf(s.Name) == name {
			_, failed := fmt.Fprintf(stdout, "%s, a table that rules name, is on its own still; see rowhook sites list, then: rowhook sites resume %[1]s\n", s.Name)
			err = errors.Join(err, failed)
		}
	}
	return err
}

// resume lets a site go on, by the daemon or without one.
func resume(ctx context.Context, c *config.Config, name string, fromNow bool) error {
	if !slices.ContainsFunc(c.Sites, func(s config.Site) bool { return s.Name == rules.SiteOf(name) }) {
		return fmt.Errorf("%w: %s; rowhook sites list shows all", pipeline.ErrNoSite, name)
	}
	_, err := control.Ask[resumeOrder, struct{}](ctx, control.NewClient(c.StateDir), sitesResume, resumeOrder{name, fromNow})
	if errors.Is(err, control.ErrNoDaemon) {
		err = resumeStored(ctx, c, name, fromNow)
	}
	return err
}

// resumeStored is for when no daemon runs.
func resumeStored(ctx context.Context, c *config.Config, name string, fromNow bool) error {
	store, err := outboxOf(c).open(ctx, slog.New(slog.DiscardHandler))
	if errors.Is(err, outbox.ErrLocked) {
		return outboxOf(c).elsewhere(err)
	}
	if err != nil {
		return err
	}
	return errors.Join(pipeline.ResumeStored(ctx, store, name, fromNow), store.Close())
}

// catchUp is a second reading of the log for one site.
func catchUp(source *cdc.Source) func([]cdc.TableName) pipeline.Follower {
	return func(tables []cdc.TableName) pipeline.Follower { return source.Beside(tables) }
}
