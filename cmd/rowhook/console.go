package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"rowhook/api"
	"rowhook/api/control"
	"rowhook/config"
	"rowhook/console/web"
	"rowhook/deliver"
	"rowhook/outbox"
	"rowhook/rules"
	"rowhook/weburl"
)

// consoleCommand is `rowhook console`: how to get into the web page.
func (t *tree) consoleCommand() *cobra.Command {
	return group(&cobra.Command{Use: "console", Short: "log in to the web page"}, t.consoleLogin())
}

func (t *tree) consoleLogin() *cobra.Command {
	c := &cobra.Command{
		Use: "login", Short: "print an address that logs a browser in to the console, once",
		Long: "Prints an address that logs a browser in to the console. It works once, and for 5 minutes. With --user it is for one of\n" +
			"console.users, who sees some sites only; without, for somebody who may see and change everything.",
		Example: "  rowhook console login\n  rowhook console login --user anna",
	}
	user := c.Flags().String("user", "", "for this `NAME` of console.users")
	t.complete(c, "user", t.consoleUsers)
	asJSON := jsonFlag(c)
	return prints(c, 0, 0, func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		cfg, err := loadState(ctx, t.config)
		if err != nil {
			return err
		}
		if cfg.Console.Listen == "" {
			return &config.Error{File: t.config, Key: "console.listen", Message: "is empty, so there is no console; write console: {listen: 127.0.0.1:8484} and restart rowhook"}
		}
		link, err := control.Ask[loginOrder, string](ctx, control.NewClient(cfg.StateDir), consoleLink, loginOrder{*user})
		switch {
		case errors.Is(err, control.ErrNoDaemon):
			return fmt.Errorf("%w in %s: it does not run; see systemctl status rowhook", err, cfg.StateDir)
		case err != nil:
			return err
		case *asJSON:
			return writeJSON(stdout, map[string]string{"link": link})
		}
		_, err = fmt.Fprintf(stdout, "%s\nOpen it in a browser within 5 minutes; it works once.\n", link)
		return err
	})
}

// consoleUsers completes --user.
func (t *tree) consoleUsers(*cobra.Command, []string, string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	if c, err := config.Load(t.config); err == nil {
		for _, u := range c.Console.Users {
			names = append(names, u.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// consoleLink is the route of the daemon for the command.
const consoleLink = "console/login"

type loginOrder struct{ User string }

// page is the console of a daemon, as far as there is one.
type page struct {
	console *web.Console // nil: there is none
	cfg     *config.Config
	shown   atomic.Pointer[inForce]
}

// inForce are the rules and sites that are in force.
type inForce struct {
	rules []web.Rule
	sites []web.Site
	set   *rules.Set
	known []*rules.Site
}

// newPage makes the console where the configuration wants one.
func newPage(c *config.Config, m *monitor, log *slog.Logger) (p *page, err error) {
	p = &page{cfg: c}
	p.shown.Store(&inForce{})
	if c.Console.Listen == "" {
		return p, nil
	}
	if c.Console.Exposed != "" {
		log.Warn("the console can be reached from other machines, without TLS of its own", slog.String("listen", c.Console.Listen), slog.String("because", c.Console.Exposed))
	}
	p.console, err = web.New(web.Options{
		Listen: c.Console.Listen, Hosts: c.Console.Hosts, Version: version(), Server: c.Database.Address, Started: time.Now(),
		Status: m.daemon.Whole, Rules: func() []web.Rule { return p.shown.Load().rules }, Sites: func() []web.Site { return p.shown.Load().sites },
		Log:    func(ctx context.Context) (web.Log, error) { return outboxOf(c).read(ctx) },
		Orders: &orders{Client: control.NewClient(c.StateDir)}, Logger: log,
	})
	return p, err
}

// serve answers browsers until ctx ends.
func (p *page) serve(ctx context.Context, log *slog.Logger) {
	if p.console == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.console.Run(ctx)
	}()
	serve(ctx, "console.listen", p.cfg.Console.Listen, p.console.Handler(), log)
	<-done
	if err := p.console.Close(); err != nil {
		log.Warn("what the console read of the outbox cannot be closed", slog.Any("error", err))
	}
}

// show has the console show these rules and the sites that are known. Samples are of them also where there is no console.
func (p *page) show(c *config.Config, set *rules.Set) {
	s := &inForce{set: set, known: sitesOf(c)}
	for _, site := range c.Sites {
		s.sites = append(s.sites, web.Site{Name: site.Name, Schema: site.Schema, Prefix: site.Prefix})
	}
	for _, r := range set.Rules {
		s.rules = append(s.rules, shownRule(r))
	}
	p.shown.Store(s)
}

// shownRule is a rule for the console: its secrets stay here.
func shownRule(r *rules.Rule) web.Rule {
	l := api.NewRule(r, false)
	w := web.Rule{
		Name: l.Name, Action: l.Action, Hook: l.Hook, Entity: r.Action.Entity.Name, Type: l.Type, Statuses: l.Statuses, Load: l.Load, Table: l.Table, On: l.On,
		Sites: l.Sites, URL: weburl.Short(r.Endpoint.URL), Place: l.Place, Signed: l.Signed, Disabled: r.Disabled, Relay: r.Action.Entity.Relay,
		If: l.When, Shaped: l.Shaped,
	}
	if !r.Disabled {
		w.Endpoint = endpointName(r)
	}
	switch r.Action.Kind {
	case rules.Save:
		w.Kind = "save"
	case rules.StatusChange:
		w.Kind = "status_change"
	case rules.Delete:
		w.Kind = "delete"
	case rules.Publish:
		w.Kind = "publish"
	}
	if r.Action.Entity.Custom {
		w.Kind = ""
	}
	return w
}

// routes is what the daemon does for the command.
func (p *page) routes(worker *deliver.Worker) []control.Route {
	return []control.Route{
		control.Handle(consoleLink, func(_ context.Context, o loginOrder) (string, error) { return p.link(o.User) }),
		control.Handle(sampleRoute, func(ctx context.Context, o sampleOrder) (string, error) { return p.sample(ctx, worker, o.Rule) }),
	}
}

func (p *page) link(user string) (string, error) {
	if p.console == nil {
		return "", control.Wrong(errors.New("the daemon was started without console.listen; restart it: systemctl restart rowhook"))
	}
	if user == "" {
		return p.console.Link("", nil), nil
	}
	u, ok := p.cfg.Console.User(user)
	if !ok {
		return "", control.Wrong(fmt.Errorf("console.users has no %q, as the daemon knows it; restart it if it is new", user))
	}
	return p.console.Link(u.Name, u.Sites), nil
}

// sampleRoute posts invented data to a rule's URL.
const sampleRoute = "rules/sample"

type sampleOrder struct{ Rule string }

func (p *page) sample(ctx context.Context, worker *deliver.Worker, name string) (string, error) {
	s := p.shown.Load()
	if s.set == nil {
		return "", control.Wrong(errors.New("the daemon does not follow the log yet"))
	}
	i := slices.IndexFunc(s.set.Rules, func(r *rules.Rule) bool { return r.Name == name })
	if i < 0 {
		return "", control.Wrong(fmt.Errorf("there is no rule %s", name))
	}
	r := s.set.Rules[i]
	m, err := sampler{p.cfg, s.known}.of(ctx, r)
	if err != nil {
		return "", err
	}
	return worker.Sample(ctx, name, m)
}

// orders takes what the console wants changed the way that commands take.
type orders struct{ *control.Client }

var _ web.Orders = (*orders)(nil)

// notYet says in words for the console that the daemon takes no commands.
func notYet(err error) error {
	if errors.Is(err, control.ErrNoDaemon) {
		return errors.New("the daemon takes no commands at this moment: it is starting; try again")
	}
	return err
}

func (o *orders) Retry(ctx context.Context, f outbox.Filter) (int, error) {
	done, err := o.Client.Retry(ctx, f)
	return done.Again + done.Sooner, notYet(err)
}

func (o *orders) Drop(ctx context.Context, f outbox.Filter) (int, error) {
	n, err := o.Client.Drop(ctx, f)
	return n, notYet(err)
}

func (o *orders) Pause(ctx context.Context, endpoint, reason string) error {
	return notYet(o.Client.Pause(ctx, endpoint, reason))
}

func (o *orders) Resume(ctx context.Context, endpoint string) error {
	return notYet(o.Client.Resume(ctx, endpoint))
}

// ResumeSite is what `rowhook sites resume` does.
func (o *orders) ResumeSite(ctx context.Context, site string, fromNow bool) error {
	_, err := control.Ask[resumeOrder, struct{}](ctx, o.Client, sitesResume, resumeOrder{site, fromNow})
	return notYet(err)
}

func (o *orders) Sample(ctx context.Context, rule string) (string, error) {
	said, err := control.Ask[sampleOrder, string](ctx, o.Client, sampleRoute, sampleOrder{rule})
	return said, notYet(err)
}
