// Command demo shows the whole path: bookings are written to a real MariaDB, and the webhooks arrive at a receiver.
//
// It starts a throwaway database server with a small salon in it, a receiver that prints what it gets, and the rowhook
// binary between the two. Then it books, confirms, moves and deletes, and counts what arrived. On a terminal it stays,
// for one's own SQL, until Ctrl-C; otherwise, or with DEMO_ONCE=1, it ends with a summary, and with exit code 1 when a
// webhook is missing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"rowhook/dbtest"
)

func main() {
	binary := flag.String("rowhook", "bin/rowhook", "the rowhook `binary`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if err := run(ctx, *binary); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// Where the salon lives in the database.
const (
	schema = "wordpress"
	prefix = "wp_"
)

func run(ctx context.Context, binary string) (err error) {
	terminal := isTerminal(os.Stdout)
	out := &page{w: os.Stdout, color: terminal && os.Getenv("NO_COLOR") == ""}
	dir, err := os.MkdirTemp("", "rowhook-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	out.title("A database server with a small salon in it, rowhook, and a receiver")
	s := settings{dir: dir, binary: binary, dbPassword: randomKey(), signingKey: randomKey()}
	server, err := startSalon(ctx, dir, s.dbPassword)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	s.dbAddress = server.Address()
	out.say("MariaDB   %s, schema %s", server.Address(), schema)

	r, err := startReceiver(ctx, s.signingKey, out.webhook)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	s.url = r.url()
	out.say("receiver  %s", s.url)

	d, err := startDaemon(ctx, s, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	out.say("rowhook   follows the binary log as the database user rowhook")

	db, err := server.Open(schema)
	if err != nil {
		return err
	}
	defer db.Close()
	began := time.Now()
	missing, err := play(ctx, &story{site: dbtest.NewSite(db, prefix), db: db, receiver: r, page: out}, d)
	if err != nil {
		return err
	}
	if err := summary(out, r.counts(), missing, time.Since(began)); err != nil {
		return err
	}
	if !terminal || !isTerminal(os.Stdin) || os.Getenv("DEMO_ONCE") != "" {
		return nil
	}
	invite(out, server, s)
	select {
	case <-ctx.Done():
	case <-d.ended:
	}
	return nil
}

// startSalon boots a server below dir with the salon and the user that rowhook connects as.
func startSalon(ctx context.Context, dir, password string) (*dbtest.Server, error) {
	home := filepath.Join(dir, "db")
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	server, err := dbtest.Launch(ctx, home)
	if err != nil {
		return nil, err
	}
	err = dbtest.CreateSalon(ctx, server, schema, prefix)
	if err == nil {
		err = server.AddUser(ctx, "rowhook", password, "REPLICATION SLAVE, BINLOG MONITOR ON *.*", "SELECT ON `"+schema+"`.*")
	}
	if err != nil {
		return nil, errors.Join(err, server.Kill())
	}
	return server, nil
}

// play shows the scenes one after the other, each until its webhooks are there. It ends early when some do not come, and
// counts them.
func play(ctx context.Context, s *story, d *daemon) (missing int, err error) {
	for _, scene := range s.scenes() {
		s.page.title(scene.title)
		wanted, err := scene.do(ctx)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", scene.title, err)
		}
		lost, err := s.receiver.wait(ctx, wanted, d.ended)
		if err != nil {
			return 0, err
		}
		for _, w := range lost {
			s.page.warn("did not arrive: %s", w)
		}
		if len(lost) > 0 {
			return len(lost), nil
		}
	}
	return 0, nil
}

func summary(out *page, c counts, missing int, took time.Duration) error {
	out.title("Summary")
	out.say("webhooks expected %d, received %d, missing %d; repeated ids %d, bad signatures %d; %s",
		c.expected, c.received, missing, c.repeated, c.unsigned, took.Round(100*time.Millisecond))
	if missing > 0 || c.unsigned > 0 {
		return errors.New("not everything arrived as it should")
	}
	return nil
}

// invite says how to go on by hand.
func invite(out *page, server *dbtest.Server, s settings) {
	out.title("Now you: whatever you change in the salon arrives here")
	out.say("mariadb --user=root --socket=%s %s", server.Socket(), schema)
	out.say("  UPDATE wp_vikappointments_reservation SET purchaser_phone = '555' WHERE id = 1;")
	out.say("  DELETE FROM wp_vikappointments_reservation WHERE id IN (2, 4);")
	out.say("  INSERT INTO wp_vikappointments_users (billing_name) VALUES ('Somebody New');")
	out.say("and what became of it:  %s deliveries list --config %s", s.binary, filepath.Join(s.dir, "config.yaml"))
	out.say("Ctrl-C ends the demo and removes all of it.")
}
