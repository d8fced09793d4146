package pipeline

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"rowhook/connect"
	"rowhook/dbtest"
	"rowhook/outbox/mysql"
)

// TestLargeOnMySQL: transactions of thousands of rows, and of many megabytes, pass through an outbox on a server that takes 16 MB at once,
// as MariaDB does by default: their events are open, and dirty, all at the same time.
func TestLargeOnMySQL(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t, "--max-allowed-packet=16M")
	server.CreateUser(t, "rowhook", "secret", "ALL ON outbox.*")
	store, err := mysql.Open(t.Context(), mysql.Config{
		Addresses: []string{server.Address()}, User: "rowhook", Password: connect.Password("secret"), Schema: "outbox", Who: mysql.Who{Rules: "same"},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	b := newBench(t, 500*time.Millisecond)
	b.store = store
	end := b.run()
	const small, large = 6000, 2000
	var many, heavy txn
	for id := range small {
		many = append(many, b.coupon(0, id+1, "x"))
	}
	for id := range large {
		heavy = append(heavy, b.coupon(1, id+1, strings.Repeat("y", 20_000)))
	}
	b.src.write(many)
	b.src.write(heavy)
	limit := time.After(time.Minute)
	for delivered := 0; delivered < small+large; {
		select {
		case <-b.ended:
			t.Fatal(end())
		case <-limit:
			t.Fatalf("%d of %d are there", delivered, small+large)
		case <-time.After(20 * time.Millisecond):
		}
		due, err := store.Due(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		delivered = 0
		for _, d := range due {
			delivered += d.Count
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}
