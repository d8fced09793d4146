package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/outbox"
	"rowhook/outbox/mysql"
	"rowhook/outbox/sqlite"
	"rowhook/outbox/transfer"
)

// place is a server with room for many outboxes.
type place struct {
	*dbtest.Server
	schemas atomic.Int64
}

func serve(t *testing.T, server *dbtest.Server) *place {
	t.Helper()
	server.CreateUser(t, "rowhook", "secret", "ALL ON `outbox%`.*")
	return &place{Server: server}
}

// config is a new outbox there.
func (p *place) config() mysql.Config {
	return mysql.Config{Addresses: []string{p.Address()}, User: "rowhook", Password: connect.Password("secret"),
		Schema: fmt.Sprint("outbox", p.schemas.Add(1))}
}

func quiet(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func openShared(t *testing.T, cfg mysql.Config) *mysql.Store {
	t.Helper()
	s, err := mysql.Open(t.Context(), cfg, quiet(t))
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func local(t *testing.T, dir string) *sqlite.Whole {
	t.Helper()
	o, err := sqlite.OpenWhole(t.Context(), dir)
	must(t, err)
	return o
}

func shared(t *testing.T, cfg mysql.Config) *mysql.Whole {
	t.Helper()
	o, err := mysql.OpenWhole(t.Context(), cfg, quiet(t))
	must(t, err)
	return o
}

// whole is an outbox of either kind.
type whole interface {
	transfer.Target
	Close() error
}

// move copies, checks and closes both.
func move(t *testing.T, from, to whole) transfer.Sums {
	t.Helper()
	must(t, transfer.Copy(t.Context(), from, to))
	sums, err := transfer.Check(t.Context(), from, to)
	must(t, err)
	must(t, from.Close())
	must(t, to.Close())
	return sums
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	testRoundTrip(t, serve(t, dbtest.Start(t)))
}

// testRoundTrip: an outbox with everything in it goes to a server and comes back, and shows the same in every place.
func testRoundTrip(t *testing.T, server *place) {
	t.Helper()
	first := older(t, "schema3")
	alter(t, first, inPieces)
	fill(t, first, 20)
	s := openLocal(t, first)
	want := look(t, s)
	for _, part := range []string{"records", "list", "attempts", "claim a", "claim b", "claim d", "claim e", "hours", "settings", "due"} {
		if n := len(want[part]); n == 0 && part != "claim d" {
			t.Fatalf("the outbox has no %s", part)
		}
	}
	for _, state := range []string{" fresh ", " waiting ", " delivered ", " dead ", " held ", " true"} {
		if !strings.Contains(strings.Join(want["list"], "\n"), state) {
			t.Fatalf("no delivery is%s", state)
		}
	}
	if all := strings.Join(want["claim a"], "\n"); !strings.Contains(all, "146h") || !strings.Contains(all, "73h") {
		t.Error("nothing is old")
	}
	must(t, s.Close())

	cfg := server.config()
	out := move(t, local(t, first), shared(t, cfg))
	m := openShared(t, cfg)
	same(t, "on the server", look(t, m), want)
	must(t, m.Close())

	second := t.TempDir()
	back := move(t, shared(t, cfg), local(t, second))
	s = openLocal(t, second)
	same(t, "back again", look(t, s), want)
	must(t, s.Close())
	if n := out.Counts()["deliveries"]; n < 1000 || back.Counts()["deliveries"] != n || out.Bytes != back.Bytes {
		t.Errorf("%v went there, %v came back", out.Counts(), back.Counts())
	}
	goOn(t, openLocal(t, first), openLocal(t, second))
}

// goOn: two that are the same become the same, whatever happens to them.
func goOn(t *testing.T, a, b outbox.Store) {
	t.Helper()
	for _, s := range []outbox.Store{a, b} {
		f := &filler{T: t, Store: s, n: 50_000}
		list := f.deliveries("crm", 20)
		f.commit(&outbox.Batch{Deliveries: list, Open: []outbox.Record{{Owner: "events", Key: "new", Data: []byte("x")}}})
		if list[19].Number != list[0].Number+19 {
			t.Errorf("numbers are %d to %d", list[0].Number, list[19].Number)
		}
		old, err := s.List(t.Context(), outbox.Filter{Limit: 400})
		must(t, err)
		for i, d := range old {
			switch i % 4 {
			case 0:
				f.settle(delivered(&d.Delivery))
			case 1:
				f.settle(failed(&d.Delivery, outbox.Dead, d.Attempts+1, time.Time{}))
			case 2:
				err := s.Settle(t.Context(), []outbox.Outcome{{Seq: d.Seq, State: outbox.Waiting, Due: moment, Retried: moment}})
				if err != nil && !errors.Is(err, outbox.ErrErased) {
					t.Fatal(err)
				}
			}
		}
		to := routes()
		to["nowhere"] = "n"
		delete(to, "slack")
		moved, err := s.Route(t.Context(), to)
		must(t, err)
		if moved.Held == 0 || moved.Released == 0 || moved.Rerouted == 0 {
			t.Errorf("moved %+v", moved)
		}
		_, err = s.Erase(t.Context(), outbox.Filter{Limit: 100, Newest: true})
		must(t, err)
		_, err = s.Prune(t.Context(), outbox.Keep{Since: time.Now().Add(time.Hour)})
		must(t, err)
	}
	is, was := look(t, b), look(t, a)
	for _, shows := range []faces{is, was} { // which is the oldest may lag behind
		maps.DeleteFunc(shows, func(part string, _ []string) bool { return strings.HasPrefix(part, "oldest ") })
	}
	same(t, "later on", is, was)
}

// TestGoesOn: on the server, too, all goes on as it would have gone on in the file.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	testGoesOn(t, serve(t, dbtest.Start(t)))
}

func testGoesOn(t *testing.T, server *place) {
	t.Helper()
	dir, cfg := t.TempDir(), server.config()
	fill(t, dir, 20)
	move(t, local(t, dir), shared(t, cfg))
	goOn(t, openLocal(t, dir), openShared(t, cfg))
}

// TestVersion4: the file of the version before is copied, though no daemon of this one has had it open.
func TestVersion4(t *testing.T) {
	t.Parallel()
	server := serve(t, dbtest.Start(t))
	dir, cfg := older(t, "schema4"), server.config()
	move(t, local(t, dir), shared(t, cfg))
	want := look(t, openLocal(t, dir))
	same(t, "on the server", look(t, openShared(t, cfg)), want)
	if len(want["list"]) == 0 {
		t.Error("it has nothing")
	}
	// Of the one before that nobody knows where deliveries go, before a daemon has said so.
	err := transfer.Copy(t.Context(), local(t, older(t, "schema3")), shared(t, server.config()))
	if err == nil || !strings.Contains(err.Error(), "start the daemon of this version with it once") {
		t.Errorf("unrouted: %v", err)
	}
}

// TestRefused: nothing is read that somebody works on, and nothing overwritten.
func TestRefused(t *testing.T) {
	t.Parallel()
	server := serve(t, dbtest.Start(t))
	dir, cfg := t.TempDir(), server.config()
	cfg.Lease = 5 * time.Second // others are waited for
	s, m := openLocal(t, dir), openShared(t, cfg)
	if _, err := sqlite.OpenWhole(t.Context(), dir); !errors.Is(err, outbox.ErrLocked) {
		t.Errorf("a file that a daemon has: %v", err)
	}
	if _, err := mysql.OpenWhole(t.Context(), cfg, quiet(t)); !errors.Is(err, outbox.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("-", os.Getpid(), "-")) {
		t.Errorf("a schema that a daemon has: %v", err)
	}
	for _, one := range []outbox.Store{s, m} {
		must(t, one.Commit(t.Context(), &outbox.Batch{Checkpoint: []byte("x")}))
		must(t, one.Close())
	}
	from, to := local(t, dir), shared(t, cfg)
	for where, err := range map[string]error{
		"outbox.db":                transfer.Copy(t.Context(), to, from),
		"DROP DATABASE `outbox1`;": transfer.Copy(t.Context(), from, to),
	} {
		if !errors.Is(err, transfer.ErrNotEmpty) || !strings.Contains(err.Error(), where) {
			t.Errorf("a target that is full: %v", err)
		}
	}
	must(t, from.Close())
	must(t, to.Close())
	must(t, openLocal(t, dir).Close()) // neither has changed
	must(t, openShared(t, cfg).Close())

	member, err := mysql.Join(t.Context(), cfg, mysql.Who{}, quiet(t))
	must(t, err)
	if _, err := mysql.OpenWhole(t.Context(), cfg, quiet(t)); !errors.Is(err, outbox.ErrLocked) {
		t.Errorf("a schema with a member: %v", err)
	}
	must(t, member.Close())
	must(t, shared(t, cfg).Close())
}

// breaking hands over a part less than all.
type breaking struct {
	transfer.Source
	parts int
}

var errBroken = errors.New("killed")

func (b *breaking) Export(ctx context.Context, take func(context.Context, *transfer.Part) error) error {
	return b.Source.Export(ctx, func(ctx context.Context, p *transfer.Part) error {
		if b.parts--; b.parts < 0 {
			return errBroken
		}
		return take(ctx, p)
	})
}

// TestHalf: what was broken off, or is not equal, is never opened.
func TestHalf(t *testing.T) {
	t.Parallel()
	server := serve(t, dbtest.Start(t))
	dir, all := t.TempDir(), server.config()
	fill(t, dir, 3)
	move(t, local(t, dir), shared(t, all))

	half, schema := t.TempDir(), server.config()
	for _, parts := range []int{1, 3} {
		half, schema = t.TempDir(), server.config()
		from, to := shared(t, all), local(t, half)
		if err := transfer.Copy(t.Context(), &breaking{from, parts}, to); !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		must(t, from.Close())
		must(t, to.Close())
		source, target := local(t, dir), shared(t, schema)
		if err := transfer.Copy(t.Context(), &breaking{source, parts}, target); !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		must(t, source.Close())
		must(t, target.Close())
	}
	wantHalf(t, half, schema)

	// The same of one that became something else on its way.
	for want, change := range map[string]func(*transfer.Part){
		"deliveries are as many, but differ": func(p *transfer.Part) {
			for _, d := range p.Deliveries {
				d.Since += time.Microsecond
			}
		},
		"of attempts there are": func(p *transfer.Part) {
			for _, d := range p.Deliveries {
				d.Tried = d.Tried[min(1, len(d.Tried)):]
			}
		},
		"records are as many, but differ": func(p *transfer.Part) { slices.Reverse(p.Records) },
		"the uptime": func(p *transfer.Part) {
			if p.Head != nil {
				p.Head.Uptime += time.Microsecond
			}
		},
	} {
		half, schema = t.TempDir(), server.config()
		wantUnequal(t, want, shared(t, all), local(t, half), change)
		wantUnequal(t, want, local(t, dir), shared(t, schema), change)
	}
	wantHalf(t, half, schema)
}

// changing changes what is put.
type changing struct {
	transfer.Target
	change func(*transfer.Part)
}

func (c *changing) Put(ctx context.Context, p *transfer.Part) error {
	c.change(p)
	return c.Target.Put(ctx, p)
}

// wantUnequal copies what is changed on its way.
func wantUnequal(t *testing.T, want string, from, to whole, change func(*transfer.Part)) {
	t.Helper()
	must(t, transfer.Copy(t.Context(), from, &changing{to, change}))
	if _, err := transfer.Check(t.Context(), from, to); !errors.Is(err, transfer.ErrUnequal) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	must(t, from.Close())
	must(t, to.Close())
}

// wantHalf checks that nobody opens them, and that each error says what to do.
func wantHalf(t *testing.T, dir string, cfg mysql.Config) {
	t.Helper()
	_, a := sqlite.Open(t.Context(), dir, quiet(t))
	_, b := sqlite.OpenLog(t.Context(), dir)
	_, c := sqlite.OpenWhole(t.Context(), dir)
	_, d := mysql.Open(t.Context(), cfg, quiet(t))
	_, e := mysql.OpenLog(t.Context(), cfg)
	_, f := mysql.Join(t.Context(), cfg, mysql.Who{}, quiet(t))
	_, g := mysql.OpenWhole(t.Context(), cfg, quiet(t))
	for i, err := range []error{a, b, c, d, e, f, g} {
		fix := "remove outbox.db, outbox.db-wal and outbox.db-shm there, and copy again"
		if i > 2 {
			fix = "type DROP DATABASE `" + cfg.Schema + "`; on that server, and copy again"
		}
		if !errors.Is(err, transfer.ErrHalf) || !strings.Contains(err.Error(), fix) {
			t.Errorf("half a copy, %d: %v", i, err)
		}
	}
	found := mysql.Check(t.Context(), cfg)
	if len(found) == 0 || found[0].Grade != mysql.Fail || !strings.Contains(found[0].Found, "half a copy") || !strings.Contains(found[0].Fix, "DROP DATABASE") {
		t.Errorf("the check says %+v", found)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "outbox.db*")); err != nil || len(names) == 0 {
		t.Errorf("files %v, %v", names, err)
	}
}

// TestLarge: a payload and a record of 64 MB, to where there is room for them; elsewhere it is said how to make some.
func TestLarge(t *testing.T) {
	t.Parallel()
	const large = 64 << 20
	server := serve(t, dbtest.Start(t, "--max-allowed-packet=256M", "--innodb-log-file-size=1G"))
	dir, cfg := t.TempDir(), server.config()
	s := openLocal(t, dir)
	_, err := s.Route(t.Context(), routes())
	must(t, err)
	body := []byte(strings.Repeat("'\x00\\\xff", large/4))
	for i := range 2 {
		must(t, s.Commit(t.Context(), &outbox.Batch{Deliveries: []*outbox.Delivery{{ID: outbox.ID{byte(i)}, Rule: "crm", Body: body}}}))
	}
	must(t, s.Commit(t.Context(), &outbox.Batch{Open: []outbox.Record{{Owner: "events", Key: "small", Data: []byte("x")}, {Owner: "events", Key: "large", Data: body}}}))
	must(t, s.Close())
	small := serve(t, dbtest.Start(t, "--max-allowed-packet=16M"))
	refused, from := small.config(), local(t, dir)
	to := shared(t, refused)
	if err := transfer.Copy(t.Context(), from, to); !errors.Is(err, outbox.ErrTooLarge) || !strings.Contains(err.Error(), "SET GLOBAL max_allowed_packet = 138412032;") {
		t.Errorf("no room: %v", err)
	}
	must(t, from.Close())
	must(t, to.Close())
	must(t, shared(t, refused).Close()) // it is still empty
	move(t, local(t, dir), shared(t, cfg))
	second := t.TempDir()
	sums := move(t, shared(t, cfg), local(t, second))
	if sums.Bytes != 2*large {
		t.Errorf("%d bytes of payloads came back", sums.Bytes)
	}
	list, err := openLocal(t, second).Claim(t.Context(), "a", 1, 10)
	if err != nil || len(list) != 1 || string(list[0].Body) != string(body) {
		t.Errorf("%d are claimed, %v", len(list), err)
	}
}
